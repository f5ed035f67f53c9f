// browser_test.mjs SOUK DIRECTORY: makes runs and a sweep with the program, writes reports of them, opens these in headless
// Chromium, and uses them as a reader does. Screenshots stay in DIRECTORY. Exit code 77: something that it needs is absent.
import assert from 'node:assert/strict';
import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Chromium, findChromium} from './chromium.mjs';
import {coloursOf} from './png.mjs';

const [souk, directory] = process.argv.slice(2);
const skip = why => {
  console.log('skipped: ' + why);
  process.exit(77);
};
const chromium = findChromium();
if (!chromium) skip('Chromium is not installed');
if (!existsSync(join(dirname(souk), 'report', 'vega.min.js'))) skip('the libraries of the report are not there');

rmSync(directory, {recursive: true, force: true});
mkdirSync(join(directory, 'downloads'), {recursive: true});
const run = (...words) => execFileSync(souk, words, {cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']});
const write = (name, text) => writeFileSync(join(directory, name), text);
const page = name => pathToFileURL(join(directory, name)).href;

// Scenarios may not be called this, so a database is edited: another name of the same length is written over.
const evil = '<script>alert(1)</script>';
const harmless = 'script-alert-1-slash-scr.';
assert.equal(harmless.length, evil.length);
function rename(run) {
  const file = join(directory, run, 'results.sqlite');
  const bytes = readFileSync(file);
  assert.ok(bytes.includes(harmless));
  for (let at = bytes.indexOf(harmless); at >= 0; at = bytes.indexOf(harmless)) bytes.write(evil, at, 'latin1');
  writeFileSync(file, bytes);
}

write('base.textproto', `name: "${harmless}" rounds: 4
task { data { glyphs { train_samples: 800 test_samples: 200 } } model { mlp { hidden: [16] } }
       training { batch_size: 16 learning_rate: 0.1 } }
participants { clients: 8 everyone: true } partition { dirichlet { alpha: 0.5 } min_samples: 5 }`);
write('grid.textproto', `name: "robust" base: "base.textproto"
axis { name: "aggregator" choice { label: "mean" set: "aggregator.mean={}" }
       choice { label: "median" set: "aggregator.median={}" } }
axis { name: "attack" choice { label: "none" set: "attacks=" }
       choice { label: "${evil}" set: "attacks[0].sign_flip.scale=4" }
       choice { label: "flip" set: "attacks[0].label_flip={}" } }
axis { name: "attacks[0].fraction" path: "attacks[0].fraction" numbers: [0.125, 0.25] }
change { where: "attack = none" set: "attacks=" } seeds: [1, 2]`);
run('sweep', 'run', 'grid.textproto', '--out', 'sweep', '-q');
run('run', 'base.textproto', '--out', 'single', '-q');
// Krum cannot run with so many attackers; the market has ten phases, and rates span a decade.
write('market.textproto', `name: "market" base: "base.textproto" set: "market={ unit_price { price: 2 } budget: 300 }" retries: 0
axis { name: "aggregator" choice { label: "mean" set: "aggregator.mean={}" }
       choice { label: "krum" set: "aggregator.krum={ f: 7 }" } }
axis { name: "attack" choice { label: "clean" set: "attacks=" }
       choice { label: "flip" set: "attacks[0]={ fraction: 0.25 sign_flip { scale: 4 } }" } }
axis { name: "rate" path: "task.training.learning_rate" numbers: [0.01, 0.1] }`);
try {
  run('sweep', 'run', 'market.textproto', '--out', 'market', '-q');
  assert.fail('krum has run');
} catch (error) {
  assert.equal(error.status, 3, error);
}
rename('single');
run('report', 'sweep', '-o', 'sweep.html');
run('report', 'single', '-o', 'single.html');
run('report', 'market', '-o', 'market.html');
run('report', 'sweep', 'market', '-o', 'both.html');

const browser = await Chromium.start(chromium);
let failures = 0;
const tests = [];
const test = (name, act) => tests.push({name, act});

const drawn = "[...document.querySelectorAll('#sections figure')].every(f => f.dataset.state === 'drawn')";
async function open(name, {scheme = 'light', width = 1280} = {}) {
  const tab = await browser.page();
  await tab.size(width, 900);
  await tab.prefer(scheme);
  await tab.open(name.startsWith('http') ? name : page(name));
  await tab.until("document.documentElement.dataset.ready === 'true'");
  await tab.until(drawn, 'every figure is drawn');
  return tab;
}
const figures = tab => tab.evaluate("[...document.querySelectorAll('#sections figure')].map(f => f.id)");
const column = (tab, table, index) => tab.evaluate(
  `[...document.querySelectorAll('#table-${table} tbody tr')].map(row => row.children[${index}].textContent)`);
const heads = (tab, table) => tab.evaluate(
  `[...document.querySelectorAll('#table-${table} th')].map(head => head.textContent)`);
const choose = (tab, figure, name, value) => tab.evaluate(`(async () => {
  const select = document.querySelector('#figure-${figure} select[name="${name}"]');
  select.value = ${JSON.stringify(value)};
  select.dispatchEvent(new Event('change'));
  await new Promise(resolve => setTimeout(resolve, 300));
})()`);
const marks = (tab, figure) => tab.evaluate(`document.querySelector('#figure-${figure} svg g').innerHTML`);

// A button of a figure, as a click; the file that the browser saved.
async function save(tab, element, button) {
  const folder = join(directory, 'downloads');
  const before = new Set(readdirSync(folder));
  await browser.send('Browser.setDownloadBehavior', {behavior: 'allow', downloadPath: folder});
  await tab.evaluate(`[...document.querySelectorAll('#${element} .caption button')].find(b => b.textContent === '${button}').click()`);
  for (let tries = 0; tries < 200; ++tries) {
    const name = readdirSync(folder).find(file => !before.has(file) && !file.endsWith('.crdownload'));
    if (name) return {name, text: readFileSync(join(folder, name), 'utf8')};
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error('no file was saved');
}

test('a sweep shows its figures, without errors and without asking the network', async () => {
  const tab = await open('sweep.html');
  const shown = await figures(tab);
  for (const id of ['heat', 'curves', 'axis-1', 'groups', 'lorenz', 'contribution', 'phases', 'traffic']) {
    assert.ok(shown.includes('figure-' + id), `${id} is not among ${shown}`);
    const paths = await tab.evaluate(`document.querySelectorAll('#figure-${id} svg path, #figure-${id} svg text').length`);
    assert.ok(paths > 10, `${id} is empty`);
  }
  assert.deepEqual(tab.problems, []);
  assert.deepEqual(tab.requests.filter(url => !/^(file|data|blob):/.test(url)), []);
});

test('a request to the network is refused by the policy of the page', async () => {
  const tab = await open('single.html');
  assert.equal(await tab.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"), 'refused');
  assert.ok(tab.problems.some(text => text.includes('Content Security Policy')), tab.problems.join());
  await tab.evaluate("{ const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s); }");
  assert.equal(await tab.evaluate('window.ran'), undefined);
});

test('names with markup in them are shown as text', async () => {
  const tab = await open('single.html');
  assert.equal(await tab.evaluate("document.getElementById('title').textContent"), evil);
  assert.equal(await tab.evaluate("document.title"), evil + ' – Souk');
  const sweep = await open('sweep.html');
  assert.ok((await column(sweep, 'attacks', 0)).includes(evil));
  const texts = await sweep.evaluate("[...document.querySelectorAll('#figure-heat svg text')].map(t => t.textContent)");
  assert.ok(texts.some(text => text.startsWith('<script>alert')), texts.join());
  assert.equal(await sweep.evaluate("[...document.scripts].filter(s => s.textContent.trim() === 'alert(1)').length"), 0);
});

test('the values in the heat map are those of the table of cells', async () => {
  const tab = await open('sweep.html');
  const titles = await heads(tab, 'cells');
  const cells = await tab.evaluate("[...document.querySelectorAll('#table-cells tbody tr')].map(r => [...r.children].map(c => c.textContent))");
  const at = name => titles.indexOf(name);
  const chosen = new Map();
  for (const cell of cells) {
    if (cell[at('rule')] === 'median' && cell[at('attack')] === 'flip') {
      chosen.set(cell[at('run')], Number(cell[at('test accuracy (%)')]));
    }
  }
  assert.equal(chosen.size, 4);  // two shares, two seeds
  const values = [...chosen.values()];
  const read = async () => tab.evaluate(`document.getElementById('figure-heat').souk.view.data('layer_0_main') &&
    document.getElementById('figure-heat').souk.view.data('layer_0_main').find(d => d.rule === 'median' && d.attack === 'flip').value`)
    .catch(() => tab.evaluate(`(() => { const v = document.getElementById('figure-heat').souk.view;
      for (const name of Object.keys(v.getState({data: (n, d) => true, signals: () => false}).data)) {
        const hit = v.data(name).find(d => d.rule === 'median' && d.attack === 'flip' && d.shown !== undefined);
        if (hit) return hit.value; } })()`));
  const close = (a, b) => assert.ok(Math.abs(a - b) < 0.06, `${a} against ${b}`);
  close(await read(), values.reduce((a, b) => a + b) / 4);
  await choose(tab, 'heat', 'statistic', 'worst');
  close(await read(), Math.min(...values));
  await choose(tab, 'heat', 'statistic', 'best');
  close(await read(), Math.max(...values));
});

test('a market in which a rule fails: the first screen, grey fields, ten colours, and no empty figure', async () => {
  const tab = await open('market.html');
  assert.deepEqual(tab.problems, []);
  const cards = await tab.evaluate(`Object.fromEntries([...document.querySelectorAll('.card')].map(card =>
    [card.querySelector('h2').textContent, [...card.querySelectorAll('li')].map(line => line.textContent)]))`);
  assert.deepEqual(Object.keys(cards), ['What held', 'What broke', 'What is not known', 'What it cost']);
  assert.deepEqual(cards['What is not known'], ['krum: nothing to compare (2 failed)']);
  assert.match(cards['What it cost'][1], /credits paid to clients per run with a market; .* to attackers/);
  const fills = await tab.evaluate(`[...document.querySelectorAll('#figure-heat svg path')].map(path => path.getAttribute('fill'))`);
  assert.equal(fills.filter(fill => fill === '#9aa0a6').length, 2);
  const phases = await tab.evaluate(`[...document.querySelectorAll('#figure-phases svg .role-legend-symbol path')].map(path => path.getAttribute('fill'))`);
  assert.ok(phases.length >= 10, phases.join());
  assert.equal(new Set(phases).size, phases.length);
  const ticks = await tab.evaluate(`[...document.querySelectorAll('#figure-income svg .role-axis-label text')].map(text => text.textContent)`);
  assert.deepEqual(ticks.slice(0, 4), ['1', '2', '3', '4']);
});

test('tables and cards fit a page of 1300 pixels, or can be scrolled', async () => {
  for (const file of ['sweep.html', 'market.html', 'both.html']) {
    const tab = await open(file);
    await tab.size(1300, 900);
    const wide = await tab.evaluate(`[...document.querySelectorAll('#table-rules .scroll, #table-attacks .scroll, .card')]
      .filter(node => node.scrollWidth > node.clientWidth).map(node => node.textContent)`);
    assert.deepEqual(wide, [], file);
    const cut = await tab.evaluate(`[...document.querySelectorAll('td, th, .card li')].filter(node =>
      getComputedStyle(node).overflowX !== 'visible' && node.scrollWidth > node.clientWidth).map(node => node.textContent)`);
    assert.deepEqual(cut, [], file);
    assert.ok(await tab.evaluate('document.body.scrollWidth <= innerWidth'), file);
  }
});

test('a page of 400 pixels is no wider, says what scrolls, and cuts no title', async () => {
  for (const file of ['sweep.html', 'market.html', 'both.html', 'single.html']) {
    const tab = await open(file, {width: 400});
    assert.ok(await tab.evaluate('document.documentElement.scrollWidth <= 400'), file);
    const wrong = await tab.evaluate(`[...document.querySelectorAll('.chart, .scroll')].filter(node => {
      const hint = node.previousElementSibling;
      return !hint.classList.contains('hint') || hint.hidden === node.scrollWidth > node.clientWidth + 1;
    }).map(node => node.className + node.textContent.slice(0, 60))`);
    assert.deepEqual(wrong, [], file);
    const cut = await tab.evaluate(`[...document.querySelectorAll('figure svg')].flatMap(svg => {
      const frame = svg.getBoundingClientRect();
      return [...svg.querySelectorAll('.role-axis-title text, .role-title-text text, .role-legend-label text')].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width > 0 && (box.left < frame.left - 2 || box.right > frame.right + 2 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2);
      }).map(text => svg.closest('figure').id + ': ' + text.textContent);
    })`);
    assert.deepEqual(cut, [], file);
    writeFileSync(join(directory, file.replace('.html', '-400.png')), await tab.screenshot({whole: true}));
  }
  const tab = await open('market.html', {width: 400});
  assert.ok(await tab.evaluate("!document.querySelector('#table-cells .hint').hidden"));
});

test('the legend of phases has all of them, at any width', async () => {
  for (const width of [400, 1280]) {
    const tab = await open('market.html', {width});
    const labels = await tab.evaluate(`(() => {
      const frame = document.querySelector('#figure-phases svg').getBoundingClientRect();
      return [...document.querySelectorAll('#figure-phases svg .role-legend-label text')]
        .filter(text => text.getBoundingClientRect().right <= frame.right + 1).map(text => text.textContent);
    })()`);
    for (const phase of ['train', 'evaluate', 'aggregate']) assert.ok(labels.includes(phase), `${width}: ${labels}`);
  }
});

test('the head says when, by what and on which data', async () => {
  const tab = await open('sweep.html');
  assert.match(await tab.evaluate("document.getElementById('about').textContent"),
               /^computed on \d{4}-\d{2}-\d{2} · Souk \S+( \(.*\))? · data: glyphs$/);
});

test('labels of 26 classes do not lie on each other', async () => {
  const tab = await open('single.html');
  const overlaps = await tab.evaluate(`(async () => {
    const clients = [], classes = [], samples = [];
    for (let i = 0; i < 260; ++i) { clients.push(i % 10); classes.push(Math.floor(i / 10)); samples.push(i); }
    const data = {columns: [{name: 'client', values: clients}, {name: 'class', values: classes}, {name: 'samples', values: samples}]};
    const view = new FigureView({id: 'deal-of-26', title: '', note: '', spec: dealSpec(data), data});
    document.querySelector('main').append(view.node);
    await view.draw();
    const boxes = [...view.node.querySelectorAll('.role-axis-label text')].filter(text => Number(text.getAttribute('opacity')) !== 0)
      .map(text => text.getBoundingClientRect()).filter(box => box.width > 0);
    let count = 0;
    for (const a of boxes) for (const b of boxes) {
      if (a !== b && a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom) ++count;
    }
    return {count, labels: boxes.length};
  })()`);
  assert.equal(overlaps.count, 0);
  assert.ok(overlaps.labels >= 26, overlaps.labels);
});

test('two sweeps are shown one at a time', async () => {
  const tab = await open('both.html');
  assert.deepEqual(tab.problems, []);
  const options = await tab.evaluate(`[...document.querySelector('#figure-heat select[name="axis1"]').options].map(option => option.value)`);
  assert.deepEqual(options, ['robust', 'market']);
  const numbers = () => tab.evaluate(`[...document.querySelectorAll('#figure-heat svg .mark-text.role-mark text')].map(text => text.textContent)`);
  const first = await numbers();
  await choose(tab, 'heat', 'axis1', 'market');
  const second = await numbers();
  assert.ok(first.length > 0 && second.length > 0);
  assert.notDeepEqual(first, second);
  assert.ok(second.some(text => text.startsWith('failed')), second.join());
});

test('the choice of a metric changes the figure', async () => {
  const tab = await open('sweep.html');
  const before = await marks(tab, 'heat');
  await choose(tab, 'heat', 'metric', 'malicious_weight_share');
  const after = await marks(tab, 'heat');
  assert.notEqual(after, before);
  assert.ok(after.includes('weight of malicious updates'));
  const curves = await marks(tab, 'curves');
  await choose(tab, 'curves', 'metric', 'loss');
  assert.notEqual(await marks(tab, 'curves'), curves);
});

test('any axis can be the lines, and the choice of its value is then not there', async () => {
  const tab = await open('sweep.html');
  const names = () => tab.evaluate(`[...document.querySelectorAll('#figure-curves .vega-bind')]
    .filter(bind => bind.getBoundingClientRect().width > 0).map(bind => bind.querySelector('select').name)`);
  const lines = () => tab.evaluate(`[...document.querySelectorAll('#figure-curves svg .role-legend-label text')].map(text => text.textContent)`);
  const all = ['rule', 'attack', 'axis1'];
  for (const [chosen, wanted] of [['rule', ['mean', 'median']], ['axis1', ['0.125', '0.25']]]) {
    await choose(tab, 'curves', 'lines', chosen);
    assert.deepEqual((await names()).filter(name => all.includes(name)), all.filter(name => name !== chosen));
    assert.deepEqual((await lines()).sort(), wanted);
  }
  assert.deepEqual(tab.problems, []);
});

test('tables are sorted and filtered', async () => {
  const tab = await open('sweep.html');
  const place = (await heads(tab, 'cells')).indexOf('test accuracy (%)');
  assert.ok(place > 0);
  const click = () => tab.evaluate(`document.querySelectorAll('#table-cells th')[${place}].click()`);
  await click();
  const down = (await column(tab, 'cells', place)).map(Number);
  assert.deepEqual(down, [...down].sort((a, b) => b - a));
  await click();
  assert.deepEqual((await column(tab, 'cells', place)).map(Number), [...down].sort((a, b) => a - b));
  assert.ok(down[0] > down.at(-1));
  const all = down.length;
  assert.equal(all, 24);
  await tab.evaluate(`{ const input = document.querySelector('#table-cells input'); input.value = 'MEDIAN flip';
                        input.dispatchEvent(new Event('input')); }`);
  const rules = await column(tab, 'cells', (await heads(tab, 'cells')).indexOf('rule'));
  assert.deepEqual(rules, ['median', 'median', 'median', 'median']);
});

test('a run opens with its curves, clients, classes and scenario', async () => {
  const tab = await open('sweep.html');
  await tab.evaluate("document.querySelector('#table-cells tbody tr').click()");
  await tab.until("document.querySelector('#figure-run-deal')?.dataset.state === 'drawn'");
  assert.ok(await tab.evaluate("document.getElementById('run-page').open"));
  assert.equal((await column(tab, 'run-clients', 0)).length, 8);
  const samples = (await column(tab, 'run-clients', 2)).map(Number);
  const classes = await tab.evaluate("[...document.querySelectorAll('#table-run-classes tbody tr')].map(r => [...r.children].slice(1).reduce((s, c) => s + Number(c.textContent), 0))");
  assert.deepEqual(classes, samples);
  assert.match(await tab.evaluate("document.querySelector('#run-page pre').textContent"), /dirichlet/);
  // A field per client and round: 8 clients, 4 rounds.
  await tab.until("document.querySelector('#figure-run-decisions')?.dataset.state === 'drawn'");
  assert.equal(await tab.evaluate("document.querySelectorAll('#figure-run-decisions svg .layer_0_marks path').length"), 32);
  assert.equal(await tab.evaluate("document.querySelectorAll('#figure-run-decisions svg .layer_1_marks path').length"), 8);
  assert.deepEqual(tab.problems, []);
});

test('dark and light differ, by the system and by the button', async () => {
  const light = await open('sweep.html'), dark = await open('sweep.html', {scheme: 'dark'});
  const paper = tab => tab.evaluate("getComputedStyle(document.body).backgroundColor");
  const words = tab => tab.evaluate("[...document.querySelectorAll('#figure-curves svg text')].map(t => t.getAttribute('fill')).join()");
  assert.notEqual(await paper(light), await paper(dark));
  assert.notEqual(await words(light), await words(dark));
  const darkWords = await words(dark), darkPaper = await paper(dark);
  await light.evaluate("document.getElementById('theme').click()");
  await light.until("document.documentElement.dataset.theme === 'dark'");
  await light.until(drawn);
  assert.equal(await paper(light), darkPaper);
  assert.equal(await words(light), darkWords);
});

test('figures are saved as SVG for paper and their data as CSV', async () => {
  const tab = await open('sweep.html', {scheme: 'dark'});
  const svg = await save(tab, 'figure-heat', 'SVG');
  assert.equal(svg.name, 'heat.svg');
  assert.match(svg.text, /^<svg[^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
  assert.ok(svg.text.includes('median') && svg.text.includes('#1b1f24'), 'light, whatever the page is');
  assert.ok(!svg.text.includes('<script>'));
  const csv = await save(tab, 'figure-heat', 'CSV');
  const lines = csv.text.trimEnd().split('\r\n');
  assert.equal(lines[0], 'rule,attack,attacks[0].fraction,metric,mean,worst,best,std,runs,state');
  assert.equal(lines.length - 1, 2 * 3 * 3 * 3);  // rules, attacks, shares and both together, metrics
  const table = await save(tab, 'table-cells', 'CSV');
  assert.equal(table.text.trimEnd().split('\r\n').length, 25);
});

test('a single run begins with its curves and has no heat map', async () => {
  const tab = await open('single.html');
  const shown = await figures(tab);
  assert.ok(!shown.includes('figure-heat'));
  assert.equal(shown[0], 'figure-curves');
  assert.deepEqual(tab.problems, []);
});

test('screenshots are not blank, and dark is darker', async () => {
  const shots = {};
  for (const [name, file, scheme] of [['sweep-light', 'sweep.html', 'light'], ['sweep-dark', 'sweep.html', 'dark'],
                                      ['single-light', 'single.html', 'light']]) {
    const tab = await open(file, {scheme});
    const png = await tab.screenshot();
    writeFileSync(join(directory, name + '.png'), png);
    shots[name] = coloursOf(png);
    assert.ok(shots[name].colours > 100, `${name} has ${shots[name].colours} colours`);
    assert.ok(shots[name].largest < 0.97, `${name} is nearly all of one colour`);
  }
  assert.ok(shots['sweep-light'].brightness > 180 && shots['sweep-dark'].brightness < 80, JSON.stringify(shots));
});

test('it prints on white, with every figure and without controls', async () => {
  const tab = await open('sweep.html', {scheme: 'dark'});
  const pdf = await tab.pdf();
  writeFileSync(join(directory, 'sweep.pdf'), pdf);
  assert.equal(pdf.toString('latin1', 0, 5), '%PDF-');
  await tab.prefer('dark', 'print');
  await tab.until(drawn);
  assert.equal(await tab.evaluate("getComputedStyle(document.body).backgroundColor"), 'rgb(255, 255, 255)');
  assert.equal(await tab.evaluate("getComputedStyle(document.querySelector('nav')).display"), 'none');
  const inks = await tab.evaluate(`[...document.querySelectorAll('#figure-curves svg text')]
    .filter(text => text.getBoundingClientRect().width > 0).map(text => getComputedStyle(text).fill)`);
  assert.ok(inks.length > 5);
  assert.deepEqual([...new Set(inks)], ['rgb(27, 31, 36)']);
});

test('paper has every row of a table, or says how many it leaves out', async () => {
  const tab = await open('single.html');
  const counts = await tab.evaluate(`[250, 6000].map(rows => {
    const values = Array.from({length: rows}, (_, i) => i);
    const view = new TableView({id: 'long', title: 'Long', note: '', run_column: '', columns: [{title: 'n', format: '', note: ''}],
                                data: {columns: [{name: 'n', values}]}}, () => {});
    views.set('table-long', view);
    const count = () => view.node.querySelectorAll('tbody tr').length;
    const before = count();
    dispatchEvent(new Event('beforeprint'));
    const printed = [count(), view.leftOut.textContent];
    dispatchEvent(new Event('afterprint'));
    return [before, ...printed, count()];
  })`);
  assert.deepEqual(counts, [[200, 250, '', 200], [200, 5000, 'The first 5000 of 6000 rows.', 200]]);
});

// The server of a live page of what is in a folder, and its address.
async function watch(folder) {
  const server = spawn(souk, ['report', '--watch', folder, '--port', '0'], {cwd: directory, stdio: ['ignore', 'pipe', 'inherit']});
  const address = await new Promise(resolve => server.stdout.on('data', text => {
    const found = String(text).match(/http:\S+/);
    if (found) resolve(found[0]);
  }));
  const ended = new Promise(resolve => server.on('exit', resolve));
  return {address, stop: () => { server.kill('SIGINT'); return ended; }};
}

test('a run that goes on is watched round by round', async () => {
  write('going.textproto', readFileSync(join(directory, 'base.textproto'), 'utf8').replace('rounds: 4', 'rounds: 100000'));
  const going = spawn(souk, ['run', 'going.textproto', '--out', 'going', '-q'], {cwd: directory, stdio: 'ignore'});
  const over = new Promise(resolve => going.on('exit', resolve));
  let server;
  try {
    for (let tries = 0; tries < 600 && !existsSync(join(directory, 'going', 'results.sqlite')); ++tries) {
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    server = await watch('going');
    const tab = await open(server.address);
    await tab.until("views.has('figure-curves')", 'the run has a curve');
    await tab.until(drawn);
    await tab.evaluate('window.sameDocument = true');
    const rounds = () => tab.evaluate("Math.max(...rowsOf(views.get('figure-curves').figure.data).map(row => row.round))");
    const before = await rounds();
    await tab.until(`Math.max(...rowsOf(views.get('figure-curves').figure.data).map(row => row.round)) > ${before}`, 'the page has a later round');
    assert.equal(await tab.evaluate('window.sameDocument'), true);
    assert.match(await tab.evaluate("document.getElementById('overview').textContent"), /reached so far.*has not ended/s);
    assert.deepEqual(tab.problems, []);
  } finally {
    going.kill('SIGTERM');
    if (server) assert.equal(await server.stop(), 130);
    await over;
  }
});

test('data that come while a figure is being drawn are shown', async () => {
  const tab = await open('single.html');
  const rounds = await tab.evaluate(`(async () => {
    const view = views.get('figure-curves');
    const later = structuredClone(view.figure);
    const round = later.data.columns.find(column => column.name === 'round');
    round.values = round.values.map(value => value + 100);
    const drawing = view.draw();
    await view.update(later);
    await drawing;
    return [...view.node.querySelectorAll('.role-axis-label text')].map(text => Number(text.textContent));
  })()`);
  assert.ok(rounds.includes(101), rounds.join());
});

test('a watched run fills in without a reload', async () => {
  write('long.textproto', readFileSync(join(directory, 'base.textproto'), 'utf8').replace('rounds: 4', 'rounds: 3'));
  run('run', 'long.textproto', '--out', 'watched', '-q');
  const {address, stop} = await watch('watched');
  let code = null;
  try {
    const tab = await open(address);
    await tab.evaluate('window.sameDocument = true');
    await choose(tab, 'curves', 'metric', 'loss');
    const rounds = "Math.max(...rowsOf(views.get('figure-curves').figure.data).map(row => row.round))";
    assert.equal(await tab.evaluate(rounds), 3);
    const before = await marks(tab, 'curves');
    rmSync(join(directory, 'watched'), {recursive: true});
    run('run', 'base.textproto', '--out', 'watched', '-q');
    await tab.until(rounds + ' === 4', 'the page has the fourth round');
    await tab.until(drawn);
    assert.equal(await tab.evaluate('window.sameDocument'), true);
    assert.notEqual(await marks(tab, 'curves'), before);
    assert.equal(await tab.evaluate("document.querySelector('#figure-curves select[name=metric]').value"), 'loss');
    assert.ok(tab.requests.every(url => url.startsWith(address) || /^(data|blob):/.test(url)), tab.requests.join());
  } finally {
    code = await stop();
  }
  assert.equal(code, 130);
});

for (const {name, act} of tests) {
  try {
    await act();
    console.log('ok      ' + name);
  } catch (error) {
    ++failures;
    console.log('FAILED  ' + name + '\n' + error.stack);
  }
}
await browser.stop();
console.log(`${tests.length - failures} of ${tests.length} passed`);
process.exit(failures === 0 ? 0 : 1);
