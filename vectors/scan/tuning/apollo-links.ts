import { ApolloLink, HttpLink, from } from '@apollo/client'
import { setContext } from '@apollo/client/link/context'
import Cookies from 'js-cookie'

const http = new HttpLink({ uri: '/graphql' })

const withToken = setContext((_, { headers }) => {
  const token = Cookies.get('token')
  return { headers: { ...headers, authorization: token ? `Bearer ${token}` : '' } }
})

const keepNewToken = new ApolloLink((operation, forward) =>
  forward(operation).map((result) => {
    const response = operation.getContext().response as Response
    const renewed = response.headers.get('x-renewed-token')
    if (renewed) {
      Cookies.set('token', renewed) // expect: token-in-readable-cookie
    }
    return result
  }),
)

export const link = from([withToken, keepNewToken, http])
