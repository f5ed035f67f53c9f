// Tables that are sorted by a click on a heading and filtered by words: a row stays if it has every word typed.

const rowsShownFirst = 200;
const rowsPrinted = 5000;
const longestOnOneLine = 20;

class TableView {
  constructor(table, openRun) {
    this.openRun = openRun;
    this.search = element('input', {type: 'search', placeholder: 'Filter by words',
                                    'aria-label': 'Filter', oninput: () => this.fill()});
    this.count = element('span', {class: 'note'});
    this.note = element('p', {class: 'note'});
    this.heading = element('h3');
    this.body = element('tbody');
    this.head = element('thead');
    this.leftOut = element('p', {class: 'note left-out'});
    const scroll = element('div', {class: 'scroll'}, element('table', {}, this.head, this.body));
    this.more = element('button', {type: 'button', class: 'more', onclick: () => { this.all = true; this.fill(); }});
    this.node = element('div', {class: 'table', id: 'table-' + table.id},
      element('div', {class: 'caption'}, this.heading, this.count,
        element('span', {class: 'buttons'}, this.search,
          element('button', {type: 'button', text: 'CSV', title: 'Save the table', onclick: () => this.saveCsv()}))),
      this.note, scrollHint(scroll), scroll, this.more, this.leftOut);
    this.update(table);
  }

  update(table) {
    this.table = table;
    this.heading.textContent = table.title;
    this.note.textContent = table.note;
    this.fields = table.data.columns.map(column => column.name).filter(name => name !== table.run_column);
    this.rows = rowsOf(table.data);
    this.numeric = this.fields.map(field => this.rows.some(row => typeof row[field] === 'number') &&
                                            this.rows.every(row => row[field] === null || typeof row[field] === 'number'));
    this.drawHead();
    this.fill();
  }

  drawHead() {
    this.head.replaceChildren(element('tr', {}, ...this.table.columns.map((column, i) => element('th', {
      text: column.title, title: column.note, scope: 'col', tabindex: 0, class: this.numeric[i] ? 'number' : '',
      'aria-sort': this.sorted && this.sorted.column === i ? (this.sorted.down ? 'descending' : 'ascending') : 'none',
      onclick: () => this.sort(i),
      onkeydown: event => { if (event.key === 'Enter') this.sort(i); },
    }))));
  }

  sort(column) {
    const down = this.sorted && this.sorted.column === column ? !this.sorted.down : this.numeric[column];
    this.sorted = {column, down};
    this.drawHead();
    this.fill();
  }

  // Values that do not exist come last, whichever way; equal ones stay in their order.
  visible() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(word => word);
    const has = row => {
      const text = this.fields.map((field, i) => formatted(row[field], this.table.columns[i].format)).join(' ').toLowerCase();
      return words.every(word => text.includes(word));
    };
    const rows = this.rows.filter(has);
    if (!this.sorted) return rows;
    const field = this.fields[this.sorted.column];
    const sign = this.sorted.down ? -1 : 1;
    const missing = value => value === null || value === undefined || value === '';
    return rows.sort((a, b) => {
      const x = a[field], y = b[field];
      if (missing(x) || missing(y)) return Number(missing(x)) - Number(missing(y));
      if (typeof x === 'number' && typeof y === 'number') return sign * (x - y);
      return sign * String(x).localeCompare(String(y), 'en', {numeric: true});
    });
  }

  fill() {
    const rows = this.visible();
    const shown = this.printing ? rows.slice(0, rowsPrinted) : this.all ? rows : rows.slice(0, rowsShownFirst);
    this.body.replaceChildren(...shown.map(row => {
      const run = this.table.run_column && row[this.table.run_column];
      const cells = this.fields.map((field, i) => element('td', {
        text: formatted(row[field], this.table.columns[i].format),
        class: this.numeric[i] ? 'number' : String(row[field] || '').length > longestOnOneLine ? 'wrap' : '',
        'data-value': typeof row[field] === 'string' ? row[field] : undefined,
      }));
      return element('tr', run ? {class: 'link', tabindex: 0, onclick: () => this.openRun(run),
                                  onkeydown: event => { if (event.key === 'Enter') this.openRun(run); }} : {}, ...cells);
    }));
    this.count.textContent = rows.length === this.rows.length ? `${rows.length}` : `${rows.length} of ${this.rows.length}`;
    this.more.hidden = shown.length === rows.length;
    this.more.textContent = `Show all ${rows.length}`;
    this.leftOut.textContent = shown.length === rows.length ? '' : `The first ${shown.length} of ${rows.length} rows.`;
  }

  // On paper nothing can be shown on demand: every row is there, or a sentence says how many are not.
  print(begins) {
    this.printing = begins;
    this.fill();
  }

  saveCsv() {
    const titles = {};
    this.fields.forEach((field, i) => { titles[field] = this.table.columns[i].title; });
    saveFile(this.table.id + '.csv', 'text/csv', csvOf(this.table.data, titles));
  }
}
