import VueCookies from 'vue-cookies';
import api from '../api';

export default {
  namespaced: true,
  state: { profile: null },
  mutations: {
    profile(state, value) {
      state.profile = value;
    },
  },
  actions: {
    async open({ commit }, credentials) {
      const { data } = await api.post('/session', credentials);
      VueCookies.set('session_token', data.token, '1h'); // expect: token-in-readable-cookie
      commit('profile', data.profile);
    },
    close({ commit }) {
      VueCookies.remove('session_token');
      commit('profile', null);
    },
  },
};
