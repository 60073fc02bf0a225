import { useState } from 'react';
import { APP_NAME } from './app-name.ts';
import { opening, works } from './content.ts';
import { WorkCard } from './work-card.tsx';

export function App() {
  const [kind, setKind] = useState<string>();
  const kinds = [...new Set(works.map((work) => work.kind))].sort();
  const shown = kind === undefined ? works : works.filter((work) => work.kind === kind);

  return (
    <>
      <a className="skip" href="#works">
        Skip to the works
      </a>
      <header>
        <a className="brand" href="#top">
          {APP_NAME}
        </a>
        <nav aria-label="Sections">
          <a href="#works">Works</a>
          <a href="#about">About</a>
          <a href="#contact">Contact</a>
        </nav>
      </header>

      <main id="top">
        <section className="opening">
          <h1>{opening.claim}</h1>
          <a className="button" href="#works">
            See the works
          </a>
        </section>

        <section id="works" aria-labelledby="works-title">
          <div className="head">
            <h2 id="works-title">Works</h2>
            {kinds.length > 1 && (
              <div className="kinds" role="group" aria-label="Kind">
                {[undefined, ...kinds].map((one) => (
                  <button key={one ?? 'all'} type="button" aria-pressed={kind === one} onClick={() => setKind(one)}>
                    {one ?? 'All'}
                  </button>
                ))}
              </div>
            )}
          </div>
          {shown.length === 0 ? <p className="empty">The first work is still being made.</p> : null}
          <ul className="works">
            {shown.map((work) => (
              <WorkCard key={work.title} work={work} />
            ))}
          </ul>
        </section>

        <section id="about" className="about" aria-labelledby="about-title">
          <h2 id="about-title">About</h2>
          <div>
            {opening.about.map((paragraph) => (
              <p key={paragraph}>{paragraph}</p>
            ))}
            <ul className="skills" aria-label="Skills">
              {opening.skills.map((skill) => (
                <li key={skill}>{skill}</li>
              ))}
            </ul>
          </div>
        </section>

        <section id="contact" className="contact" aria-labelledby="contact-title">
          <h2 id="contact-title">Let us make something</h2>
          <a className="mail" href={`mailto:${opening.mail}`}>
            {opening.mail}
          </a>
        </section>
      </main>

      <footer>
        <span>
          © {new Date().getFullYear()} {APP_NAME}
        </span>
        <a href="#top">Back to the top</a>
      </footer>
    </>
  );
}
