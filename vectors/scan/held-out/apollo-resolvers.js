import jwt from 'jsonwebtoken';

const accessOptions = { expiresIn: '5 minutes', issuer: 'graph', audience: 'graph' };
const refreshChecks = { algorithms: ['HS256'], issuer: 'graph', audience: 'graph-refresh' };

export const resolvers = {
  Query: {
    me: (_, __, { loaders, subject }) => loaders.people.load(subject),
  },
  Mutation: {
    signIn: async (_, { login, password }, { people, tokens }) => tokens.issue(await people.check(login, password)),
    refreshAccess: (_, { token }, { keys }) => { // expect: no-rotation
      const { sub } = jwt.verify(token, keys.refresh, refreshChecks);
      return { accessToken: jwt.sign({ sub }, keys.access, accessOptions) };
    },
  },
};
