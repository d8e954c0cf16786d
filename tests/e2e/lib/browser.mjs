// A headless Chromium that talks to nothing but the server under test.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];

/** @returns {Promise<{page: import('playwright-core').Page, close: () => Promise<void>}>} a page in a fresh profile */
export async function openBrowser() {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'parley-e2e-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath, args, headless: true });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { page: context.pages()[0] ?? await context.newPage(), close };
}

/**
 * A browser for several people, each of whom knows nothing of the others.
 * @returns {Promise<{newPerson: (options) => Promise<import('playwright-core').Page>, close: () => Promise<void>}>}
 */
export async function openSharedBrowser() {
  const browser = await chromium.launch({ executablePath, args, headless: true });
  const newPerson = async (options) => (await browser.newContext(options)).newPage();
  return { newPerson, close: () => browser.close() };
}
