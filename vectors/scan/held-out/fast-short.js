const { createSigner } = require('fast-jwt');

const MINUTE = 60_000;

module.exports = ({ key, issuer }) => {
  const sign = createSigner({ key, iss: issuer, aud: 'library', expiresIn: 30 * MINUTE });
  const signRefresh = createSigner({ key, iss: issuer, aud: 'library-refresh', expiresIn: 14 * 24 * 60 * MINUTE });

  return {
    pair(reader) {
      return {
        access: sign({ sub: reader.id }),
        refresh: signRefresh({ sub: reader.id, sid: reader.session }),
      };
    },
  };
};
