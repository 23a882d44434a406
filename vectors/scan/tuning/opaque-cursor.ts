export interface Position {
  id: string
  at: number
}

export function toCursor(position: Position): string {
  return btoa(JSON.stringify(position))
}

export function fromCursor(cursor: string): Position {
  const position = JSON.parse(atob(cursor))
  if (typeof position.id !== 'string') throw new RangeError('cursor: no id in it')
  return position
}

export function fileVersion(name: string): string {
  return name.split('.')[1] ?? '0'
}
