// A headless Chromium driven over its own protocol: JSON messages that end in NUL, through file descriptors 3 and 4.
import {spawn} from 'node:child_process';
import {accessSync, constants, mkdtempSync, rmSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {tmpdir} from 'node:os';

export function findChromium() {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    for (const folder of (process.env.PATH || '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // not here
      }
    }
  }
  return null;
}

export class Chromium {
  // Its sandbox needs what root and many containers do not have: it then ends at once.
  static async start(program) {
    if (process.getuid() === 0) return Chromium.open(program, ['--no-sandbox']);
    return Chromium.open(program, []).catch(() => Chromium.open(program, ['--no-sandbox']));
  }

  static async open(program, options) {
    const browser = new Chromium();
    browser.profile = mkdtempSync(join(tmpdir(), 'souk-chromium-'));
    browser.process = spawn(program, ['--headless=new', '--remote-debugging-pipe', '--disable-gpu', '--hide-scrollbars',
      '--disable-dev-shm-usage', '--no-first-run', '--user-data-dir=' + browser.profile, ...options, 'about:blank'],
    {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    browser.input = browser.process.stdio[3];
    browser.waiting = new Map();
    browser.listeners = new Set();
    browser.next = 0;
    let rest = Buffer.alloc(0);
    browser.process.stdio[4].on('data', bytes => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        browser.receive(JSON.parse(rest.subarray(0, end).toString('utf8')));
        rest = rest.subarray(end + 1);
      }
    });
    browser.ended = new Promise(resolve => browser.process.on('exit', resolve));
    browser.ended.then(() => {
      for (const {reject} of browser.waiting.values()) reject(new Error('the browser has ended'));
      browser.waiting.clear();
    });
    browser.input.on('error', () => {});
    await browser.send('Browser.getVersion');
    return browser;
  }

  receive(message) {
    if (message.id !== undefined) {
      const {resolve, reject} = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      message.error ? reject(new Error(message.error.message)) : resolve(message.result);
      return;
    }
    for (const listener of this.listeners) listener(message);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.next;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.input.write(JSON.stringify({id, method, params, sessionId}) + '\0');
    });
  }

  async page() {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
    const page = new Page(this, sessionId);
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.send(domain + '.enable');
    return page;
  }

  async stop() {
    await this.send('Browser.close').catch(() => {});
    await this.ended;
    rmSync(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

// A tab. It remembers what went wrong in it and what it asked of the network.
export class Page {
  constructor(browser, session) {
    this.browser = browser;
    this.session = session;
    this.problems = [];
    this.requests = [];
    browser.listeners.add(message => {
      if (message.sessionId !== session) return;
      const {method, params} = message;
      if (method === 'Runtime.exceptionThrown') {
        this.problems.push(params.exceptionDetails.exception?.description || params.exceptionDetails.text);
      } else if (method === 'Runtime.consoleAPICalled' && ['error', 'warning'].includes(params.type)) {
        this.problems.push(params.args.map(arg => arg.value || arg.description).join(' '));
      } else if (method === 'Log.entryAdded' && ['error', 'warning'].includes(params.entry.level)) {
        this.problems.push(params.entry.text);
      } else if (method === 'Network.requestWillBeSent') {
        this.requests.push(params.request.url);
      }
    });
  }

  send(method, params = {}) {
    return this.browser.send(method, params, this.session);
  }

  // The value of an expression, promises awaited.
  async evaluate(expression) {
    const {result, exceptionDetails} =
      await this.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true});
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  async until(expression, what = expression, seconds = 60) {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
      if (await this.evaluate(expression)) return;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error('waited in vain until ' + what);
  }

  async open(url) {
    const loaded = new Promise(resolve => {
      const listener = message => {
        if (message.sessionId !== this.session || message.method !== 'Page.loadEventFired') return;
        this.browser.listeners.delete(listener);
        resolve();
      };
      this.browser.listeners.add(listener);
    });
    await this.send('Page.navigate', {url});
    await loaded;
  }

  size(width, height) {
    return this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: false});
  }

  prefer(scheme, media = '') {
    return this.send('Emulation.setEmulatedMedia', {media, features: [{name: 'prefers-color-scheme', value: scheme}]});
  }

  async screenshot({whole = false} = {}) {
    const {data} = await this.send('Page.captureScreenshot', {format: 'png', captureBeyondViewport: whole});
    return Buffer.from(data, 'base64');
  }

  async pdf() {
    const {data} = await this.send('Page.printToPDF', {printBackground: true});
    return Buffer.from(data, 'base64');
  }
}
