import axios from 'axios';

const client = axios.create({ baseURL: import.meta.env.VITE_API });

client.interceptors.request.use((config) => {
  const accessToken = localStorage.getItem('accessToken');
  if (accessToken) config.headers.Authorization = `Bearer ${accessToken}`;
  return config;
});

client.interceptors.response.use(
  (response) => response,
  async (error) => {
    if (error.response?.status !== 401 || error.config.retried) throw error;
    error.config.retried = true;
    const { data } = await axios.post('/auth/renew', {
      refreshToken: localStorage.getItem('refreshToken'),
    });
    localStorage.setItem('accessToken', data.accessToken); // expect: token-in-web-storage
    localStorage.setItem('refreshToken', data.refreshToken); // expect: token-in-web-storage
    return client(error.config);
  },
);

export default client;
