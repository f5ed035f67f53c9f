// The page: overview, sections, theme, and, while it is served by a running program, new data every two seconds.

let report = JSON.parse(document.getElementById('report-data').textContent);
const views = new Map();  // by the id of the element

function currentTheme() {
  return document.documentElement.dataset.theme;
}

const systemDark = matchMedia('(prefers-color-scheme: dark)');
let chosenTheme = null;  // null: as the system says

function applyTheme() {
  const theme = chosenTheme || (systemDark.matches ? 'dark' : 'light');
  if (theme === currentTheme()) return;
  document.documentElement.dataset.theme = theme;
  for (const view of views.values()) {
    if (view instanceof FigureView && view.node.dataset.state === 'drawn') view.draw();
  }
}

function showOverview() {
  document.title = report.title + ' – Souk';
  document.getElementById('title').textContent = report.title;
  document.getElementById('about').textContent = report.about.join(' · ');
  const cards = report.overview.cards.map(card => element('div', {class: 'card', 'data-kind': card.kind},
    element('h2', {text: card.title}), element('ul', {}, ...card.lines.map(line => element('li', {text: line})))));
  document.getElementById('overview').replaceChildren(
    element('div', {class: 'cards'}, ...cards),
    ...report.overview.definitions.map(text => element('p', {class: 'definitions', text})));
}

function makeSection(section) {
  const node = element('section', {id: section.id}, element('h2', {text: section.title}));
  for (const figure of canDraw ? section.figures : []) {
    const view = new FigureView(figure);
    views.set(view.node.id, view);
    node.append(view.node);
  }
  for (const table of section.tables) {
    const view = new TableView(table, openRun);
    views.set(view.node.id, view);
    node.append(view.node);
  }
  return node;
}

function shape() {
  return JSON.stringify(report.sections.map(section => [section.id, section.figures.map(figure => figure.id),
                                                        section.tables.map(table => table.id)]));
}

let shownShape = '';

function showSections() {
  shownShape = shape();
  views.clear();
  drawing.waiting.clear();
  const sections = report.sections.filter(section => canDraw || section.tables.length > 0);
  document.getElementById('contents').replaceChildren(
    ...sections.map(section => element('a', {href: '#' + section.id, text: section.title})));
  document.getElementById('sections').replaceChildren(...sections.map(makeSection));
  for (const view of views.values()) if (view instanceof FigureView) drawing.add(view);
}

function updateSections() {
  if (shape() !== shownShape) return showSections();
  for (const section of report.sections) {
    for (const figure of canDraw ? section.figures : []) views.get('figure-' + figure.id).update(figure);
    for (const table of section.tables) views.get('table-' + table.id).update(table);
  }
}

let lastText = null;

async function poll() {
  const live = document.getElementById('live');
  try {
    const answer = await fetch('data.json', {cache: 'no-store'});
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    if (text !== lastText) {
      lastText = text;
      report = JSON.parse(text);
      showOverview();
      updateSections();
    }
    live.textContent = '● live, as of ' + new Date().toLocaleTimeString();
  } catch (error) {
    live.textContent = '○ the program that serves this page does not answer';
  }
  setTimeout(poll, 2000);
}

document.getElementById('theme').addEventListener('click', () => {
  chosenTheme = currentTheme() === 'dark' ? 'light' : 'dark';
  applyTheme();
});
systemDark.addEventListener('change', applyTheme);
narrow.addEventListener('change', () => {
  for (const view of views.values()) {
    if (view instanceof FigureView && view.node.dataset.state === 'drawn') view.draw();
  }
});
for (const [event, begins] of [['beforeprint', true], ['afterprint', false]]) {
  addEventListener(event, () => {
    for (const view of views.values()) if (view instanceof TableView) view.print(begins);
  });
}
applyTheme();
showOverview();
showSections();
if (document.body.dataset.live === 'true') {
  document.getElementById('live').hidden = false;
  setTimeout(poll, 2000);
}
document.documentElement.dataset.ready = 'true';
