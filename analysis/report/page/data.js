// Data of the page: columns into rows, rows into CSV, elements out of words. Every text of a run enters the page as
// textContent, never as markup.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value;
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

// {columns: [{name, values} | {name, levels, codes}]} as an array of objects.
function rowsOf(data) {
  const columns = data.columns.map(column => ({
    name: column.name,
    at: column.levels ? i => (column.codes[i] < 0 ? null : column.levels[column.codes[i]]) : i => column.values[i],
  }));
  const first = data.columns[0];
  const count = first ? (first.codes || first.values).length : 0;
  const rows = new Array(count);
  for (let i = 0; i < count; ++i) {
    const row = {};
    for (const column of columns) row[column.name] = column.at(i);
    rows[i] = row;
  }
  return rows;
}

// RFC 4180: CRLF, quotes where a field needs them.
function csvOf(data, titles = {}) {
  const quoted = value => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const names = data.columns.map(column => column.name);
  const lines = [names.map(name => quoted(titles[name] || name)).join(',')];
  for (const row of rowsOf(data)) lines.push(names.map(name => quoted(row[name])).join(','));
  return lines.join('\r\n') + '\r\n';
}

function saveFile(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = element('a', {href: address, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// The formats that the report uses, of those of d3-format: ".2f" and ".4~g".
function formatted(value, format) {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number' || !format) return String(value);
  const digits = Number(format.match(/\d+/)[0]);
  return format.endsWith('f') ? value.toFixed(digits) : String(Number(value.toPrecision(digits)));
}
