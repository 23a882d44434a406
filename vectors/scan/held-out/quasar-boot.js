import { boot } from 'quasar/wrappers';
import axios from 'axios';

const api = axios.create({ baseURL: process.env.API });

export default boot(({ app, router }) => {
  api.interceptors.response.use((response) => {
    const fresh = response.headers['x-access-token'];
    if (fresh) {
      localStorage.accessToken = fresh; // expect: token-in-web-storage
    }
    return response;
  }, (error) => {
    if (error.response && error.response.status === 401) {
      delete localStorage.accessToken;
      router.push('/login');
    }
    return Promise.reject(error);
  });

  app.config.globalProperties.$api = api;
});

export { api };
