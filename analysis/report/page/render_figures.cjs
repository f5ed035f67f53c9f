// node -e SCRIPT -- LIBRARIES PDF LIST: draws each specification FILE.vl.json that the file LIST names, each ended by NUL, into
// FILE.svg with the browser bundles of Vega and Vega-Lite, which also run under Node; and into FILE.pdf with the program PDF,
// rsvg-convert or a Chromium, unless it is empty. Texts are measured by estimate, for Node has no canvas.
const {execFileSync, spawn} = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

const [libraries, pdfProgram, list] = process.argv.slice(1);
const files = fs.readFileSync(list, 'utf8').split('\0').filter(file => file);

// The bundles ask for each other by name; they lie side by side.
function load(name) {
  const loaded = {exports: {}};
  const code = fs.readFileSync(path.join(libraries, name + '.min.js'), 'utf8');
  new Function('module', 'exports', 'require', code)(loaded, loaded.exports, load);
  return loaded.exports;
}

function put(file, content) {
  fs.writeFileSync(file + '.tmp', content);
  fs.renameSync(file + '.tmp', file);
}

// A headless Chromium, driven over its own protocol: JSON messages that end in NUL, through file descriptors 3 and 4.
class Printer {
  // Its sandbox needs what root and many containers do not have: it then ends at once, and is started without. What it draws is
  // ours, and loads nothing.
  async start(program) {
    this.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'souk-chromium-'));
    if (process.getuid() === 0) return this.open(program, ['--no-sandbox']);
    return this.open(program, []).catch(() => this.open(program, ['--no-sandbox']));
  }

  async open(program, options) {
    this.session = undefined;
    this.process = spawn(program, ['--headless=new', '--remote-debugging-pipe', '--disable-gpu', '--disable-dev-shm-usage',
      '--no-first-run', '--user-data-dir=' + this.profile, ...options, 'about:blank'],
    {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    this.waiting = new Map();
    this.last = 0;
    const fail = why => {
      for (const {reject} of this.waiting.values()) reject(new Error(why));
      this.waiting.clear();
    };
    this.ended = new Promise(resolve => {
      this.process.on('exit', () => { fail(`${program} ended before the figures were printed`); resolve(); });
      this.process.on('error', error => { fail(error.message); resolve(); });
    });
    this.process.stdio[3].on('error', () => {});
    let rest = Buffer.alloc(0);
    this.process.stdio[4].on('data', bytes => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        this.receive(JSON.parse(rest.subarray(0, end).toString('utf8')));
        rest = rest.subarray(end + 1);
      }
    });
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    this.session = (await this.send('Target.attachToTarget', {targetId, flatten: true})).sessionId;
    this.frame = (await this.send('Page.getFrameTree')).frameTree.frame.id;
    return this;
  }

  receive({id, result, error}) {
    const asked = this.waiting.get(id);
    if (!asked) return;
    this.waiting.delete(id);
    error ? asked.reject(new Error(error.message)) : asked.resolve(result);
  }

  send(method, params = {}) {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.process.stdio[3].write(JSON.stringify({id, method, params, sessionId: this.session}) + '\0');
    });
  }

  // One page of the size of the drawing, whose pixels are 1/96 inch.
  async print(svg) {
    const [width, height] = ['width', 'height'].map(name => Math.ceil(Number(svg.match(`<svg[^>]* ${name}="([0-9.]+)`)[1])));
    const style = '@page{margin:0}body{margin:0;overflow:hidden}svg{display:block}';
    await this.send('Page.setDocumentContent', {frameId: this.frame, html: `<!DOCTYPE html><style>${style}</style>${svg}`});
    const {data} = await this.send('Page.printToPDF', {
      printBackground: true, paperWidth: width / 96, paperHeight: height / 96, pageRanges: '1',
      marginTop: 0, marginBottom: 0, marginLeft: 0, marginRight: 0});
    return Buffer.from(data, 'base64');
  }

  async stop() {
    this.session = undefined;
    await this.send('Browser.close').catch(() => {});
    await this.ended;
    fs.rmSync(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

(async () => {
  const vega = load('vega');
  const vegaLite = load('vega-lite');
  const byLibrsvg = path.basename(pdfProgram) === 'rsvg-convert';
  const printer = pdfProgram && !byLibrsvg ? await new Printer().start(pdfProgram) : null;
  try {
    for (const file of files) {
      const name = file.replace(/\.vl\.json$/, '');
      const spec = JSON.parse(fs.readFileSync(file, 'utf8'));
      const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), {renderer: 'none', logLevel: vega.Warn});
      const svg = await view.toSVG();
      view.finalize();
      put(name + '.svg', svg + '\n');
      if (byLibrsvg) put(name + '.pdf', execFileSync(pdfProgram, ['--format=pdf', name + '.svg'], {maxBuffer: 1 << 28}));
      if (printer) put(name + '.pdf', await printer.print(svg));
    }
  } finally {
    if (printer) await printer.stop();
  }
})().catch(error => {
  process.stderr.write(`souk: ${error.stack}\n`);
  process.exitCode = 1;
});
