import assert from "node:assert/strict";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type BrowserContext, chromium } from "playwright-core";
import { buildReport } from "../../src/report/build.ts";
import { renderHtml } from "../../src/report/html.ts";
import { exampleRun, googlePrices } from "../support/run-view.ts";
import { hostileRun } from "./support/hostile.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const missing = await access(executablePath).then(
  () => false,
  () => true,
);
const skip = missing
  ? `Chromium is missing: ${executablePath} (Debian: apt-get install chromium), or set CHROMIUM`
  : false;
/** A folder that keeps the screenshots, if the variable is set. */
const kept = process.env.WIDEMERGE_SCREENSHOTS;

const screens = [
  { name: "phone-light", width: 375, height: 800, colorScheme: "light" },
  { name: "phone-dark", width: 375, height: 800, colorScheme: "dark" },
  { name: "desktop-light", width: 1280, height: 900, colorScheme: "light" },
  { name: "desktop-dark", width: 1280, height: 900, colorScheme: "dark" },
] as const;

describe("report.html in Chromium", { skip }, () => {
  let folder = "";
  let context: BrowserContext;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "widemerge-report-"));
    for (const [name, view] of [
      ["report", exampleRun()],
      ["hostile", hostileRun()],
    ] as const)
      await writeFile(join(folder, `${name}.html`), renderHtml(buildReport(view, googlePrices), view));
    context = await chromium.launchPersistentContext(join(folder, "profile"), {
      executablePath,
      headless: true,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"].concat(
        "--disable-background-networking",
        "--disable-component-update",
      ),
    });
  });
  after(async () => {
    await context?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a page of the folder; returns it with its complaints and its requests to other places. */
  async function open(name: string, screen: (typeof screens)[number]) {
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => requests.push(request.url()));
    await page.setViewportSize({ width: screen.width, height: screen.height });
    await page.emulateMedia({ colorScheme: screen.colorScheme });
    const url = pathToFileURL(join(folder, name)).href;
    await page.goto(url);
    const outside = requests.filter((request) => request !== url && !request.startsWith("data:"));
    return { page, complaints, outside };
  }

  for (const screen of screens) {
    test(`${screen.name}: no error, no request, nothing wider than the screen, every picture there`, async () => {
      const { page, complaints, outside } = await open("report.html", screen);
      assert.deepEqual(complaints, []);
      assert.deepEqual(outside, []);
      const seen = await page.evaluate(`({
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        pictures: [...document.querySelectorAll("svg")].filter((svg) => svg.getBoundingClientRect().width > 0).length,
        cut: [...document.querySelectorAll("svg text")].filter((text) => {
          const [own, whole] = [text, text.closest("svg")].map((element) => element.getBoundingClientRect());
          return own.width > 0 && (own.left < whole.left - 0.5 || own.right > whole.right + 0.5 || own.bottom > whole.bottom + 0.5);
        }).map((text) => text.textContent),
        small: [...document.querySelectorAll("svg text")].filter((text) => {
          const height = text.getBoundingClientRect().height;
          return height > 0 && height < 8;
        }).length,
      })`);
      assert.deepEqual(seen, { overflow: 0, pictures: 3 + 25, cut: [], small: 0 });
      if (kept !== undefined) await page.screenshot({ path: join(kept, `${screen.name}.png`), fullPage: true });
      await page.close();
    });
  }

  test("dark and light differ in the pictures too", async () => {
    const fills = new Set<unknown>();
    for (const screen of screens.slice(2)) {
      const { page } = await open("report.html", screen);
      fills.add(await page.evaluate(`getComputedStyle(document.querySelector(".wide svg text")).fill`));
      await page.close();
    }
    assert.equal(fills.size, 2);
  });

  test("labels of a picture do not overlap", async () => {
    for (const screen of screens) {
      const { page } = await open("report.html", screen);
      const overlaps = await page.evaluate(`[...document.querySelectorAll("svg")].flatMap((svg) => {
        const boxes = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
        return boxes.flatMap(([one, a], index) => boxes.slice(index + 1).flatMap(([other, b]) =>
          a.width > 0 && b.width > 0 && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 5 && b.top < a.bottom - 5
            ? [one + " / " + other] : []));
      })`);
      assert.deepEqual(overlaps, [], screen.name);
      await page.close();
    }
  });

  test("names and messages that are markup stay text", async () => {
    const { page, complaints, outside } = await open("hostile.html", screens[2]);
    assert.deepEqual(complaints, []);
    assert.deepEqual(outside, []);
    const found = await page.evaluate(`({
      scripts: document.querySelectorAll("script, iframe, img, object, foreignObject").length,
      links: [...document.querySelectorAll("a")].map((link) => link.getAttribute("href").replace(/[^/]+$/, "")),
      handlers: [...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) => /^on/i.test(a.name)).length,
      ran: String(globalThis.ran),
    })`);
    assert.deepEqual(found, { scripts: 0, links: Array(6).fill("../../"), handlers: 0, ran: "undefined" });
    await page.close();
  });
});
