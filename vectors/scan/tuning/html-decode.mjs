import he from 'he';
import { decode } from 'html-entities';

const decoder = new TextDecoder('utf-8');

export function plainText(html) {
  return decode(html.replace(/<[^>]+>/g, ''));
}

export function title(page) {
  const match = /<title>(.*?)<\/title>/s.exec(page);
  return match ? he.decode(match[1]).trim() : '';
}

export async function body(response) {
  return decoder.decode(await response.arrayBuffer());
}
