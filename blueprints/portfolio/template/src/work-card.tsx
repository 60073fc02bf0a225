import type { Work } from './content.ts';

/** A work with a picture drawn from its colours, so that the page is whole before there are photographs. */
export function WorkCard({ work }: { work: Work }) {
  const [dark, light] = work.colours;
  const turn = [...work.title].reduce((sum, char) => sum + (char.codePointAt(0) ?? 0), 0) % 360;
  return (
    <li className="work">
      <svg viewBox="0 0 320 200" role="img" aria-label={`Picture of ${work.title}`} preserveAspectRatio="xMidYMid slice">
        <rect width="320" height="200" fill={dark} />
        <g fill={light} transform={`rotate(${turn} 160 100)`}>
          <circle cx="110" cy="80" r="54" opacity="0.9" />
          <rect x="150" y="70" width="110" height="90" rx="45" opacity="0.55" />
          <path d="M60 170 L160 40 L250 170 Z" opacity="0.25" />
        </g>
      </svg>
      <div>
        <p className="meta">
          {work.kind} · {work.year}
        </p>
        <h3>{work.link === undefined ? work.title : <a href={work.link}>{work.title}</a>}</h3>
        <p>{work.summary}</p>
      </div>
    </li>
  );
}
