import Cookies from 'universal-cookie';
import ky from 'ky';

const cookies = new Cookies();

export const http = ky.create({
  prefixUrl: '/v1',
  hooks: {
    beforeRequest: [(request) => request.headers.set('authorization', `Bearer ${cookies.get('bearer')}`)],
    afterResponse: [
      (_request, _options, response) => {
        const next = response.headers.get('x-next-bearer');
        if (next) cookies.set('bearer', next, { path: '/' }); // expect: token-in-readable-cookie
        cookies.set('last_call', String(response.status));
      },
    ],
  },
});
