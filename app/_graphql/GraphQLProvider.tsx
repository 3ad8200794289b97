'use client'

import { createClient } from 'graphql-ws'
import { useState, type ReactNode } from 'react'
import {
  cacheExchange,
  Client,
  fetchExchange,
  Provider,
  subscriptionExchange,
  type Exchange,
  type ExecutionResult,
} from 'urql'

/** Takes every question and answers none. */
const unanswered: Exchange = () => () => () => undefined

/** One client a page load. While a page is rendered on the server, questions wait: the browser asks them. */
function makeClient(): Client {
  if (typeof window === 'undefined') {
    return new Client({ url: '/graphql', exchanges: [unanswered] })
  }
  const socket = createClient({
    url: `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/graphql`,
    lazy: true,
    retryAttempts: 2,
  })
  return new Client({
    url: '/graphql',
    preferGetMethod: false,
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query: query ?? '', ...(variables ? { variables } : {}) },
              {
                // the same GraphQL answers, typed by two libraries
                next: (result) => {
                  sink.next(result as ExecutionResult)
                },
                error: sink.error,
                complete: sink.complete,
              },
            ),
          }),
        }),
      }),
    ],
  })
}

export function GraphQLProvider({ children }: { readonly children: ReactNode }) {
  const [client] = useState(makeClient)
  return <Provider value={client}>{children}</Provider>
}
