const SEPARATOR = '.';

/** A continuation is `offset.filter`, the filter as base64 of JSON. */
export function parseContinuation(text) {
  const [offset, filter] = text.split(SEPARATOR);
  return {
    offset: Number.parseInt(offset, 36),
    filter: filter ? JSON.parse(atob(filter)) : {},
  };
}

export function formatContinuation({ offset, filter }) {
  return [offset.toString(36), btoa(JSON.stringify(filter))].join(SEPARATOR);
}
