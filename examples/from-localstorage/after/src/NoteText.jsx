/** A note with its formatting: **bold** and _italic_, as people know it from chats. */
export function NoteText({ text }) {
  const html = text
    .replace(/\*\*(.+?)\*\*/g, "<b>$1</b>")
    .replace(/\b_(.+?)_\b/g, "<i>$1</i>")
    .replaceAll("\n", "<br>");
  return <p dangerouslySetInnerHTML={{ __html: html }} />;
}
