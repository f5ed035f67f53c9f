// The page of one run, made when it is asked for.

function plainTable(id, title, data, formats = {}) {
  return {
    id, title, note: '', data, run_column: '',
    columns: data.columns.map(column => ({title: column.name, format: formats[column.name] || '', note: ''})),
  };
}

function openRun(number) {
  const run = report.runs.runs[number];
  if (!run) return;
  const dialog = document.getElementById('run-page');
  const parts = [
    element('button', {type: 'button', class: 'close', text: 'Close', onclick: () => dialog.close()}),
    element('h2', {text: `${run.name || 'Run'} ${run.id}`}),
    element('p', {class: 'note', text: [run.what, run.status, run.reason, run.path].filter(text => text).join(' · ')}),
  ];
  const figures = [];
  const addFigure = (id, title, note, spec, data) => {
    if (!canDraw || !data || data.columns.length === 0 || rowsOf(data).length === 0) return;
    const view = new FigureView({id, title, note, spec, data});
    figures.push(view);
    parts.push(view.node);
  };
  addFigure('run-curves', 'Over rounds', '', report.runs.curve_spec, run.curves);
  if (run.map) {
    const add = (id, {title, note, spec}) => addFigure(id, title, note + run.map_note, {...spec, height: run.map_height}, run.map);
    add('run-decisions', report.runs.maps.decisions);
    if (run.map_weighed) add('run-weights', report.runs.maps.weights);
  } else if (report.runs.maps.left_out) {
    parts.push(element('p', {class: 'note', text: 'The map of who was rejected when is left out: the runs of this report have too many fields together. A report of this run alone has it.'}));
  }
  if (run.clients) {
    const deal = report.runs.deals[run.deal];
    addFigure('run-deal', 'Who holds which classes', '', dealSpec(deal), deal);
    parts.push(new TableView(plainTable('run-clients', 'Clients', run.clients, {
      weight: '.4~g', 'update norm': '.4~g', cosine: '.3~g', income: '.6~g',
    })).node);
    if (rowsOf(deal).length > 0) parts.push(new TableView(dealTable(deal)).node);
  } else if (report.runs.clients_left_out) {
    parts.push(element('p', {class: 'note', text: 'Clients are left out: the runs of this report have too many together. A report of this run alone has them.'}));
  }
  parts.push(new TableView(plainTable('run-facts', 'Facts', run.facts)).node);
  if (run.scenario) parts.push(element('h3', {text: 'Resolved scenario'}), element('pre', {text: run.scenario}));
  dialog.replaceChildren(...parts);
  dialog.showModal();
  for (const view of figures) view.draw();
}

// High enough for a label of every class, as long as a screen holds them.
function dealSpec(deal) {
  const classes = new Set(rowsOf(deal).map(row => row.class)).size;
  return {...report.runs.deal_spec, height: Math.min(Math.max(14 * classes, 100), 560)};
}

// Samples by client and class: a column per class.
function dealTable(deal) {
  const rows = rowsOf(deal);
  const classes = [...new Set(rows.map(row => row.class))].sort((a, b) => a - b);
  const clients = [...new Set(rows.map(row => row.client))].sort((a, b) => a - b);
  const samples = new Map(rows.map(row => [row.client + '/' + row.class, row.samples]));
  const columns = [{name: 'client', values: clients}];
  for (const label of classes) {
    columns.push({name: 'class ' + label, values: clients.map(client => samples.get(client + '/' + label) || 0)});
  }
  return plainTable('run-classes', 'Samples by class', {columns});
}
