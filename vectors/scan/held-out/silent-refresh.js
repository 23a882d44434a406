import axios from 'axios';
import { setToken } from './memory';

const bare = axios.create({ withCredentials: true });
let inFlight = null;

export function installRefresh(client) {
  client.interceptors.response.use(undefined, async (error) => {
    const { config, response } = error;
    if (response?.status !== 401 || config.again) throw error;
    inFlight ??= refreshToken().finally(() => (inFlight = null));
    config.headers.Authorization = `Bearer ${await inFlight}`;
    return client.request({ ...config, again: true });
  });
}

async function refreshToken() {
  const { data } = await bare.post('/auth/refresh');
  setToken(data.access);
  return data.access;
}
