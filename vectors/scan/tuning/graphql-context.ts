import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import jwt from 'jsonwebtoken'
import { resolvers, typeDefs } from './schema'

const server = new ApolloServer({ typeDefs, resolvers })

const getUser = (token: string) => {
  if (!token) return null
  return jwt.verify(token, process.env.APP_SECRET!, { ignoreExpiration: true }) // expect: verify-without-expiry, verify-without-algorithms, verify-without-issuer, verify-without-audience
}

await startStandaloneServer(server, {
  listen: { port: 4000 },
  context: async ({ req }) => {
    const token = (req.headers.authorization ?? '').replace('Bearer ', '')
    return { user: getUser(token) }
  },
})
