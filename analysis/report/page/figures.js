// Figures: Vega-Lite specifications as the report has them, drawn when they come into view, or when nothing else is to do.

const canDraw = typeof vegaEmbed === 'function';

// Where legends beside the figures would leave no room for these, they are below.
const narrow = matchMedia('(max-width: 640px)');

function embedOptions(theme, width = Infinity) {
  const config = structuredClone(report.themes[theme]);
  if (width < 560) {
    Object.assign(config.legend, {orient: 'bottom', columns: 2, labelLimit: 140, layout: {bottom: {direction: 'vertical', anchor: 'start'}}});
    config.title.limit = width;
  }
  return {actions: false, ast: true, renderer: 'svg', config, tooltip: {theme: theme === 'dark' ? 'dark' : 'light'}};
}

// Legends in columns have as many of these as fit.
function withFittingLegends(spec, width) {
  for (const [name, part] of Object.entries(spec)) {
    if (part === null || typeof part !== 'object' || name === 'values') continue;
    if (name === 'legend' && part.columns) part.columns = Math.max(1, Math.min(part.columns, Math.floor(width / 140)));
    else withFittingLegends(part, width);
  }
  return spec;
}

// A sentence that is there where something is wider than the screen shows, and scrolls.
function scrollHint(scroller) {
  const hint = element('p', {class: 'hint', text: '← wider than the screen: scroll sideways →', hidden: true});
  const look = () => { hint.hidden = scroller.scrollWidth <= scroller.clientWidth + 1; };
  new ResizeObserver(look).observe(scroller);
  new MutationObserver(look).observe(scroller, {childList: true, subtree: true, attributes: true, attributeFilter: ['width', 'hidden']});
  return hint;
}

class FigureView {
  constructor(figure) {
    this.chart = element('div', {class: 'chart'});
    this.choices = element('div', {class: 'choices'});
    this.note = element('p', {class: 'note'});
    this.heading = element('h3');
    this.node = element('figure', {id: 'figure-' + figure.id, 'data-state': 'waiting'},
      element('div', {class: 'caption'}, this.heading,
        element('span', {class: 'buttons'},
          element('button', {type: 'button', text: 'SVG', title: 'Save the figure', onclick: () => this.saveSvg()}),
          element('button', {type: 'button', text: 'CSV', title: 'Save its data', onclick: () => this.saveCsv()}))),
      this.note, this.choices, scrollHint(this.chart), this.chart);
    this.node.souk = this;
    this.set(figure);
  }

  set(figure) {
    this.figure = figure;
    this.heading.textContent = figure.title;
    this.note.textContent = figure.note;
  }

  // Names of the parameters that the reader chooses.
  chosen() {
    return (this.figure.spec.params || []).filter(param => param.bind && param.bind.input).map(param => param.name);
  }

  // The specification with its data and what the reader has chosen so far.
  specification() {
    const spec = structuredClone(this.figure.spec);
    spec.data = {name: 'data', values: rowsOf(this.figure.data)};
    if (this.view) {
      for (const param of spec.params || []) {
        const options = param.bind && param.bind.options;
        if (options && options.includes(this.view.signal(param.name))) param.value = this.view.signal(param.name);
      }
    }
    return spec;
  }

  async draw() {
    this.node.dataset.state = 'drawing';
    const figure = this.figure;
    try {
      const spec = withFittingLegends(this.specification(), this.chart.clientWidth);
      const options = {...embedOptions(currentTheme(), this.chart.clientWidth), bind: this.choices};
      const old = this.result;
      this.choices.replaceChildren();
      this.result = await vegaEmbed(this.chart, spec, options);
      this.view = this.result.view;
      this.hideIdleChoices();
      if (old) old.finalize();
      this.node.dataset.state = 'drawn';
    } catch (error) {
      this.chart.replaceChildren(element('p', {class: 'failed', text: 'This figure could not be drawn: ' + error.message}));
      this.node.dataset.state = 'failed';
      console.error(error);
    }
    const newest = this.figure;
    if (newest === figure) return;
    this.figure = figure;
    await this.update(newest);  // it came meanwhile
  }

  // A figure whose lines are rules takes all rules: the choice of one has no effect, and is not there.
  hideIdleChoices() {
    if (!this.chosen().includes('lines')) return;
    const hide = () => {
      for (const select of this.choices.querySelectorAll('select')) {
        select.closest('.vega-bind').hidden = select.name === this.view.signal('lines');
      }
    };
    this.view.addSignalListener('lines', hide);
    hide();
  }

  // New data. The view stays, with all that was chosen in it, while the specification is the same.
  async update(figure) {
    const same = JSON.stringify(figure.spec) === JSON.stringify(this.figure.spec);
    const changed = JSON.stringify(figure.data) !== JSON.stringify(this.figure.data);
    this.set(figure);
    if (this.node.dataset.state !== 'drawn') return;
    if (!same) await this.draw();
    else if (changed) await this.view.data('data', rowsOf(figure.data)).runAsync();
  }

  // For paper: on white, whatever the theme of the page.
  async svg() {
    const place = element('div', {style: 'position:absolute;left:-10000px;width:' + Math.max(this.chart.clientWidth, 600) + 'px'});
    document.body.append(place);
    try {
      const result = await vegaEmbed(place, this.specification(), embedOptions('light'));
      const text = await result.view.toSVG();
      result.finalize();
      return text;
    } finally {
      place.remove();
    }
  }

  async saveSvg() {
    saveFile(this.figure.id + '.svg', 'image/svg+xml', await this.svg());
  }

  saveCsv() {
    saveFile(this.figure.id + '.csv', 'text/csv', csvOf(this.figure.data, report.field_titles));
  }
}

// Draws what comes into view at once, and the rest one by one when the page is idle, so that it can be printed.
const drawing = {
  waiting: new Set(),
  observer: typeof IntersectionObserver === 'function' && new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) drawing.now(entry.target.souk);
  }, {rootMargin: '300px'}),
  add(view) {
    drawing.waiting.add(view);
    drawing.observer.observe(view.node);
    drawing.schedule();
  },
  now(view) {
    drawing.observer.unobserve(view.node);
    return drawing.waiting.delete(view) ? view.draw() : undefined;
  },
  schedule() {
    if (drawing.scheduled || drawing.waiting.size === 0) return;
    drawing.scheduled = true;
    requestIdleCallback(async () => {
      const [next] = drawing.waiting;
      if (next) await drawing.now(next);
      drawing.scheduled = false;
      drawing.schedule();
    }, {timeout: 2000});
  },
};
