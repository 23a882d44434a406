import axios from 'axios';

let source;

export async function search(term) {
  source?.cancel('superseded');
  source = axios.CancelToken.source();
  const cancelToken = source.token;
  try {
    const { data } = await axios.get('/search', { params: { term }, cancelToken });
    sessionStorage.setItem('lastTerm', term);
    return data.hits;
  } catch (error) {
    if (axios.isCancel(error)) return [];
    throw error;
  }
}
