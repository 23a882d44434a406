// What deploy/ and docs/guides/alerts.md say of each other and of the metrics there are. Node's own modules only.

import { test } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)
const read = (path) => readFileSync(new URL(path, root), 'utf8')

const RULES = 'deploy/prometheus/alerts.yml'
const DASHBOARD = 'deploy/grafana/counterfoil.json'
const METRICS = 'docs/reference/metrics.md'
const GUIDE = 'docs/guides/alerts.md'
const RUNBOOK = 'https://github.com/counterfoil/counterfoil/blob/main/docs/guides/alerts.md#'

// What Prometheus itself adds to every target.
const OF_PROMETHEUS = new Set(['up'])
const WORDS = new Set(['and', 'or', 'unless', 'on', 'ignoring', 'by', 'without', 'group_left', 'group_right', 'offset', 'bool'])

// The names of the series in an expression: what is no function, no word of the language and no label.
function seriesOf(expression) {
  const bare = expression
    .replace(/"(?:\\.|[^"\\])*"/g, '')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
  const names = [...bare.matchAll(/(?<![\w$.])([A-Za-z_:][\w:]*)(\s*\()?/g)]
  return names.filter(([, name, call]) => !call && !WORDS.has(name)).map(([, name]) => name)
}

// The first columns of the tables, without labels: `counterfoil_refresh_total{decision}`.
function documented() {
  const rows = read(METRICS).split('\n').filter((line) => line.startsWith('|'))
  const names = rows.flatMap((row) => [...row.split('|')[1].matchAll(/`([A-Za-z_:][\w:]*)(?:\{[^`]*\})?`/g)].map(([, name]) => name))
  assert.ok(names.length > 0, `${METRICS} has no table of metrics`)
  return new Set(names)
}

// A histogram is written down once, and queried by its parts.
function isDocumented(name, known) {
  return known.has(name) || OF_PROMETHEUS.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, ''))
}

// The rules, in the one shape in which they are written. Whatever has another shape is an error and not skipped.
function rules() {
  const found = []
  let block = null
  for (const [index, line] of read(RULES).split('\n').entries()) {
    const text = line.trim()
    const indent = line.length - line.trimStart().length
    if (block && (text === '' || indent > block.indent)) {
      block.rule.expr += `${text}\n`
      continue
    }
    block = null
    if (text === '' || text.startsWith('#')) continue
    const [, dash, key, value] = /^(- )?(\w+):\s*(.*)$/.exec(text) ?? assert.fail(`${RULES}:${index + 1}: ${line}`)
    if (key === 'alert') found.push({ alert: value })
    if (key === 'record') assert.fail(`${RULES}:${index + 1}: this test knows alerts only`)
    if (['groups', 'rules', 'name', 'labels', 'annotations', 'alert'].includes(key)) continue
    const rule = found.at(-1) ?? assert.fail(`${RULES}:${index + 1}: ${key} before any alert`)
    assert.ok(!dash && !(key in rule), `${RULES}:${index + 1}: ${key} twice`)
    if (key === 'expr' && /^[|>]-?$/.test(value)) {
      rule.expr = ''
      block = { rule, indent }
    } else {
      rule[key] = value.replace(/^'(.*)'$/, (_, quoted) => quoted.replaceAll("''", "'"))
    }
  }
  assert.ok(found.length > 0, `${RULES} has no alert`)
  return found
}

// Of all panels, those inside rows too.
function panels(dashboard) {
  return dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])])
}

function expressions() {
  const dashboard = JSON.parse(read(DASHBOARD))
  const ofPanels = panels(dashboard).flatMap((panel) => (panel.targets ?? []).map(({ expr }) => [`the panel "${panel.title}"`, expr]))
  const ofVariables = dashboard.templating.list
    .filter(({ type }) => type === 'query')
    .map(({ name, query }) => [`the variable ${name}`, query.query.replace(/,\s*\w+\)$/, ')')])
  return [...ofPanels, ...ofVariables].map(([where, expr]) => [`${DASHBOARD}, ${where}`, expr])
}

// As GitHub makes them.
function anchors(markdown) {
  const headings = markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.+)$/gm)
  return new Set([...headings].map(([, text]) => text.trim().toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-')))
}

test('the reader of expressions finds the series and nothing else', () => {
  const names = seriesOf('sum by (job, le) (rate(a_bucket{x=~"b|c", route!="/d"}[5m])) / on (job) group_left () max(e offset 15m) > 0.5 or absent(f)')
  assert.deepEqual(names, ['a_bucket', 'e', 'f'])
})

test('the reader of rules reads every alert there is', () => {
  const written = read(RULES).match(/\balert:/g).length
  assert.equal(rules().length, written)
})

test('the reference of metrics is there', () => {
  assert.ok(existsSync(new URL(METRICS, root)), `${METRICS} is missing`)
  documented()
})

test('every metric in the alert rules is in the reference', () => {
  const known = documented()
  for (const { alert, expr } of rules()) {
    const names = seriesOf(expr)
    assert.ok(names.length > 0, `${alert} asks for nothing`)
    for (const name of names) assert.ok(isDocumented(name, known), `${alert}: ${name} is not in ${METRICS}`)
  }
  // In texts as well.
  for (const [name] of read(RULES).matchAll(/\bcounterfoil_\w+/g)) assert.ok(isDocumented(name, known), `${RULES}: ${name}`)
})

test('every metric in the dashboard is in the reference', () => {
  const known = documented()
  for (const [where, expr] of expressions()) {
    const names = seriesOf(expr)
    assert.ok(names.length > 0, `${where} asks for nothing: ${expr}`)
    for (const name of names) assert.ok(isDocumented(name, known), `${where}: ${name} is not in ${METRICS}`)
  }
  for (const [name] of read(DASHBOARD).matchAll(/\bcounterfoil_\w+/g)) assert.ok(isDocumented(name, known), `${DASHBOARD}: ${name}`)
})

test('every metric in the examples of the guides and of the scrape configuration is in the reference', () => {
  const known = documented()
  for (const path of [GUIDE, 'docs/guides/one-node.md', 'docs/guides/three-nodes.md', 'deploy/prometheus/scrape.yml']) {
    for (const [name] of read(path).matchAll(/\bcounterfoil_\w+/g)) assert.ok(isDocumented(name, known), `${path}: ${name}`)
  }
})

test('the dashboard is one: every panel has a place, an id and a data source that can be chosen', () => {
  const dashboard = JSON.parse(read(DASHBOARD))
  assert.ok(dashboard.title && dashboard.uid && dashboard.schemaVersion >= 38)
  const names = new Set(dashboard.templating.list.map(({ name }) => name))
  const all = panels(dashboard)
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length, 'an id twice')
  for (const panel of all) {
    const { x, y, w, h } = panel.gridPos
    assert.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, `${panel.title} has no place`)
    if (panel.type === 'row' || panel.type === 'text') continue // these show no data
    assert.ok(panel.targets.length > 0, `${panel.title} shows nothing`)
    for (const { datasource, expr } of panel.targets) {
      assert.equal(datasource.uid, '${datasource}', `${panel.title} has a data source of its own`)
      for (const [, used] of expr.matchAll(/\$(?!__)(\w+)/g)) assert.ok(names.has(used), `${panel.title}: $${used} is no variable`)
    }
  }
})

test('every alert says how grave it is, how long it waits and what it means', () => {
  for (const rule of rules()) {
    assert.match(rule.alert, /^Counterfoil[A-Z]\w+$/)
    assert.match(rule.for ?? '', /^\d+[smh]$/, `${rule.alert}: for`)
    assert.match(rule.severity ?? '', /^(warning|critical)$/, `${rule.alert}: severity`)
    for (const text of ['summary', 'description']) assert.ok(rule[text], `${rule.alert}: ${text}`)
  }
  const names = rules().map(({ alert }) => alert)
  assert.equal(new Set(names).size, names.length, 'an alert twice')
})

test('every alert has its section in the guide, under the anchor that its rule names and with the same gravity', () => {
  const guide = read(GUIDE)
  const known = anchors(guide)
  for (const { alert, severity, runbook_url: url } of rules()) {
    assert.equal(url, RUNBOOK + alert.toLowerCase())
    assert.ok(known.has(alert.toLowerCase()), `${GUIDE} has no section ${alert}`)
    const section = guide.split(new RegExp(`^#+ ${alert}$`, 'm'))[1].split(/^#+ /m)[0]
    assert.ok(section.trim().toLowerCase().startsWith(`*${severity}.*`), `${alert} is ${severity}`)
    for (const part of ['People notice', 'Look at', 'Do']) assert.ok(section.includes(`**${part}**`), `${alert}: ${part}`)
  }
})

test('the guide has no section of an alert that is no more', () => {
  const names = new Set(rules().map(({ alert }) => alert))
  const sections = [...read(GUIDE).matchAll(/^#+ (Counterfoil\w+)$/gm)].map(([, name]) => name)
  for (const name of sections) assert.ok(names.has(name), `${name} is in ${GUIDE} and not in ${RULES}`)
})

test('links between the guides and to deploy/ lead somewhere', () => {
  for (const path of [GUIDE, 'docs/guides/one-node.md', 'docs/guides/three-nodes.md']) {
    const base = new URL(path, root)
    for (const [, link] of read(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file, anchor] = link.split('#')
      const target = file ? new URL(file, base) : base
      assert.ok(existsSync(target), `${path}: ${link}`)
      if (anchor) assert.ok(anchors(readFileSync(target, 'utf8')).has(anchor), `${path}: ${link}`)
    }
  }
})
