export function uploadAddress(csrfToken) {
  return `/upload?_csrf=${encodeURIComponent(csrfToken)}`;
}

export async function upload(file, csrfToken) {
  const form = new FormData();
  form.append('file', file);
  const response = await fetch(uploadAddress(csrfToken), { method: 'POST', body: form });
  if (response.status === 413) throw new Error('the file is larger than 10 MB');
  return response.json();
}
