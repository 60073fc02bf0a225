import { useEffect, useState } from 'react';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEY = 'theme';
const SCHEMES: Record<Theme, string> = { auto: 'light dark', light: 'light', dark: 'dark' };
const LABELS: Record<Theme, string> = { auto: 'As the device', light: 'Light', dark: 'Dark' };

/** Every colour of the page follows `color-scheme`: nothing else has to know. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(remembered);
  useEffect(() => {
    document.documentElement.style.colorScheme = SCHEMES[theme];
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing still switches.
    }
  }, [theme]);

  return (
    <select className="theme" aria-label="Colours" value={theme} onChange={(event) => setTheme(toTheme(event.target.value))}>
      {THEMES.map((one) => (
        <option key={one} value={one}>
          {LABELS[one]}
        </option>
      ))}
    </select>
  );
}

function remembered(): Theme {
  try {
    return toTheme(localStorage.getItem(KEY));
  } catch {
    return 'auto';
  }
}

function toTheme(text: string | null): Theme {
  return THEMES.find((theme) => theme === text) ?? 'auto';
}
