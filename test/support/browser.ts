/**
 * Chromium for the browser suite, and pages that write down what went wrong in them. Chromium
 * resolves `*.localhost` by itself, so the suite sees the addresses that people open.
 */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { checkout } from '../../local/engines/recipe.ts';

const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const NAMES = ['chromium', 'google-chrome'];
const DEBIAN = '/usr/bin/chromium';

export interface WatchedPage {
  readonly page: Page;
  /** Console errors, uncaught exceptions and requests without a good answer, oldest first. */
  readonly problems: string[];
}

export async function launchBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: findBrowser(process.env), args: ARGS });
}

export async function openPage(browser: Browser, viewport = { width: 1280, height: 900 }): Promise<WatchedPage> {
  const page = await browser.newPage({ viewport, locale: 'en-GB', reducedMotion: 'reduce' });
  page.setDefaultTimeout(30_000);
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.method()} ${request.url()} ${request.failure()?.errorText ?? ''}`));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${String(response.status())}: ${response.request().method()} ${response.url()}`);
  });
  return { page, problems };
}

/** For people to look at; git ignores the folder. */
export async function screenshot(page: Page, name: string, fullPage = true): Promise<void> {
  const folder = join(checkout, 'test-output', 'screenshots');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
}

export function findBrowser(env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env['ADORABLE_CHROMIUM'];
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen;
    throw new Error(`ADORABLE_CHROMIUM is ${chosen}, which is not a program: set it to the path of Chromium or Chrome.`);
  }
  const onPath = NAMES.flatMap((name) => (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '').map((folder) => join(folder, name)));
  const found = [DEBIAN, ...onPath].find(isExecutable);
  if (found === undefined) {
    throw new Error('The browser suite found no Chromium: install one (`apt-get install chromium` on Debian) or set ADORABLE_CHROMIUM to the path of Chromium or Chrome.');
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
