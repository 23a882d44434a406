export function UploadForm({ csrfToken, folder }) {
  return (
    <form method="post" encType="multipart/form-data" action={`/folders/${folder}/files?csrf_token=${csrfToken}`}>
      <input type="file" name="files" multiple />
      <button>Upload</button>
    </form>
  );
}

export function SearchForm({ tokens }) {
  return (
    <form action="/search">
      <input name="q" defaultValue={tokens.join(' ')} />
      <a href={`/search?q=${tokens.map(encodeURIComponent).join('+')}`}>Link to this search</a>
    </form>
  );
}
