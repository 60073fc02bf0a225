/**
 * The story as people see it: the pages in Chromium at the addresses they open, on real engines.
 * What the page shows is read back from SQL; what it shows during a restore is the gateway's (I4).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import type { Started } from '../../client/runtime.ts';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { launchBrowser, openPage, screenshot } from '../support/browser.ts';
import type { WatchedPage } from '../support/browser.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { pollPages } from '../support/poll-pages.ts';
import type { Polling } from '../support/poll-pages.ts';

const POST = { title: 'Hello from Directus', slug: 'hello', body: 'The first post of the blog.', status: 'published', author: 'Ada', date_published: '2026-01-02T09:00:00' };
const RESTORING = 'This project is being moved to another moment.';
const PHONE = { width: 390, height: 844 };

let browser: Browser | undefined;
let platform: TestPlatform | undefined;
let world: World;
let projectId: ProjectId;
let finance: WatchedPage;
let blog: WatchedPage;

beforeAll(async () => {
  // First, so that a machine without a browser hears of it at once.
  browser = await launchBrowser();
  platform = await startPlatform({ directus: true });
  const started = await platform.open.runtime.createProject('Home');
  projectId = started.projectId;
  await healthy(started);
  world = openWorld(platform.open.platform, projectId);
  finance = await openPage(browser);
  blog = await openPage(browser);
}, 900_000);

afterAll(async () => {
  await browser?.close();
  await (world as World | undefined)?.close();
  await platform?.close();
}, 60_000);

async function healthy(started: Started<OperationOutcome>): Promise<void> {
  expect(await started.result).toMatchObject({ health: 'healthy' });
}

async function generate(message: string): Promise<void> {
  await runtime().chat(projectId, message);
  await healthy(await runtime().approvePlan(projectId));
}

function runtime(): TestPlatform['open']['runtime'] {
  if (platform === undefined) throw new Error('the platform did not start');
  return platform.open.runtime;
}

const ledger = (page: Page, description: string) => page.locator('ul.ledger li', { hasText: description });
const card = (page: Page) => page.getByRole('link', { name: POST.title });

/** A page as somebody sees it who opens the address on a phone. */
async function onPhone(url: string, shown: (page: Page) => ReturnType<Page['locator']>, name: string): Promise<void> {
  if (browser === undefined) throw new Error('the browser did not start');
  const { page, problems } = await openPage(browser, PHONE);
  await page.goto(url);
  await shown(page).waitFor();
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);
  await screenshot(page, name);
  expect(problems).toEqual([]);
  await page.close();
}

/** What an old page still had under way when it was left is no problem of the next one. */
async function leave({ page, problems }: { page: Page; problems: unknown[] }): Promise<void> {
  await page.goto('about:blank');
  problems.length = 0;
}

/** Opens the tracker as soon as the gateway refuses it, and leaves the page alone after that. */
async function firstRefusal(page: Page, { seen }: Polling): Promise<number | undefined> {
  for (const deadline = Date.now() + 60_000; !seen.some(({ status }) => status === 503); await sleep(50)) {
    if (Date.now() > deadline) throw new Error('no page was refused within a minute of the restore\'s start');
  }
  const status = (await page.goto(world.url('personal-finance')))?.status();
  await page.getByText(RESTORING).waitFor();
  await screenshot(page, '9-restoring');
  return status;
}

describe('the story in a browser', () => {
  test('the finance tracker opens, and what is typed into it is in SQL', async () => {
    await generate('a personal finance tracker');
    const { page, problems } = finance;
    await page.goto(world.url('personal-finance'));
    await page.getByText('No transactions this month yet.').waitFor();
    await screenshot(page, '1-finance-empty');

    await page.getByRole('button', { name: 'Add transaction' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Amount').fill('84.50');
    await dialog.getByLabel('Description').fill('Weekly groceries');
    await screenshot(page, '2-finance-editor', false);
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await ledger(page, 'Weekly groceries').waitFor();
    await dialog.waitFor({ state: 'detached' });
    expect(await ledger(page, 'Weekly groceries').locator('.cents').textContent()).toContain('84.50');
    await screenshot(page, '3-finance-one');

    expect(await transactions(world)).toEqual(['Weekly groceries']);
    expect(problems).toEqual([]);
    await onPhone(world.url('personal-finance'), (phone) => ledger(phone, 'Weekly groceries'), '4-finance-phone');
  }, 180_000);

  test('the blog opens empty, then shows the post that was written in Directus', async () => {
    await generate('add a blog as a separate app, with a CMS');
    const { page, problems } = blog;
    await page.goto(world.url('blog'));
    await page.getByText('The first post is still being written').waitFor();
    await screenshot(page, '5-blog-empty');

    const token = await world.secret('directus-env', 'ADMIN_TOKEN');
    const written = await world.http('directus', '/items/posts', { method: 'POST', body: POST, headers: { authorization: `Bearer ${token}` } });
    expect(written.status).toBe(200);
    await page.reload();
    await card(page).waitFor();
    await screenshot(page, '6-blog-list');
    await card(page).click();
    await page.getByRole('heading', { name: POST.title }).waitFor();
    await page.getByText(POST.body).waitFor();
    await screenshot(page, '7-blog-post');
    expect(problems).toEqual([]);
    await onPhone(world.url('blog'), card, '8-blog-phone');
  }, 240_000);

  test('during an undo people read that the project is restoring; afterwards the blog is gone and the tracker works', async () => {
    await addTransaction(world, 'Concert tickets', -12_000);
    await leave(finance);
    await finance.page.goto(world.url('personal-finance'));
    await ledger(finance.page, 'Concert tickets').waitFor();
    expect(finance.problems).toEqual([]);
    await finance.page.evaluate('window.leftOpen = true');
    await blog.page.evaluate('window.leftOpen = true');

    const { page: visitor } = await openPage(browser as Browser);
    const polling = pollPages([world.url('personal-finance'), world.url('blog')]);
    const started = await runtime().restore(projectId, 'undo');
    try {
      const [refused] = await Promise.all([firstRefusal(visitor, polling), healthy(started)]);
      expect(refused).toBe(503);
    } finally {
      await polling.stop();
    }

    const others = polling.seen.filter(({ status }) => ![200, 404, 502].includes(status));
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(({ status, retryAfter, body }) => status !== 503 || !(Number(retryAfter) > 0) || !body.includes(RESTORING))).toEqual([]);

    const { page: late } = await openPage(browser as Browser);
    expect((await late.goto(world.url('blog')))?.status()).toBe(404);
    await late.getByRole('heading', { name: 'Nothing here' }).waitFor();
    await screenshot(late, '10-blog-gone');
    await late.close();

    // Both come back by themselves: the restoring page by its refresh, the open app by Vite's socket.
    await ledger(visitor, 'Weekly groceries').waitFor();
    await finance.page.waitForFunction('window.leftOpen === undefined');
    await ledger(finance.page, 'Weekly groceries').waitFor();
    await visitor.close();

    finance.problems.length = 0;
    await finance.page.reload();
    await ledger(finance.page, 'Weekly groceries').waitFor();
    expect(await ledger(finance.page, 'Concert tickets').count()).toBe(0);
    expect(await transactions(world)).toEqual(['Weekly groceries']);
    await screenshot(finance.page, '11-finance-undone');
    expect(finance.problems).toEqual([]);
    await screenshot(blog.page, '12-blog-left-open');
  }, 180_000);

  test('redo brings the blog back with its post, also in the tab that stayed open', async () => {
    await healthy(await runtime().restore(projectId, 'redo'));
    await blog.page.waitForFunction('window.leftOpen === undefined');
    await blog.page.getByRole('heading', { name: POST.title }).waitFor();

    await leave(blog);
    await blog.page.goto(world.url('blog'));
    await card(blog.page).waitFor();
    await screenshot(blog.page, '13-blog-redone');
    expect(blog.problems).toEqual([]);

    await leave(finance);
    await finance.page.goto(world.url('personal-finance'));
    await ledger(finance.page, 'Concert tickets').waitFor();
    expect(await transactions(world)).toEqual(['Weekly groceries', 'Concert tickets']);
    await screenshot(finance.page, '14-finance-redone');
    expect(finance.problems).toEqual([]);
  }, 180_000);
});
