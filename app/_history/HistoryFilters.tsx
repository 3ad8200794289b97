'use client'

import { useEffect, useEffectEvent, useState, type RefObject } from 'react'
import { useQuery } from 'urql'
import {
  MethodCardsDocument,
  ModelChoicesDocument,
  type HistoryQueryVariables,
  type Modality,
  type RunStatus,
} from '../_graphql/generated/graphql.ts'
import styles from './History.module.css'

export type Filters = Pick<HistoryQueryVariables, 'model' | 'method' | 'status' | 'modality' | 'search'>

interface HistoryFiltersProps {
  readonly filters: Filters
  readonly onChange: (filters: Filters) => void
  readonly searchRef: RefObject<HTMLInputElement | null>
}

const SEARCH_PAUSE_MS = 250
const MODALITIES: readonly { value: Modality; label: string }[] = [
  { value: 'IMAGE', label: 'Photos' },
  { value: 'TEXT', label: 'Reviews' },
]
const STATUSES: readonly { value: RunStatus; label: string }[] = [
  { value: 'DONE', label: 'Done' },
  { value: 'RUNNING', label: 'Running' },
  { value: 'QUEUED', label: 'Waiting' },
  { value: 'FAILED', label: 'Failed' },
  { value: 'CANCELLED', label: 'Cancelled' },
]

interface Choice<T extends string> {
  readonly value: T
  readonly label: string
}

function FilterSelect<T extends string>(props: {
  readonly label: string
  readonly all: string
  readonly value: T | null | undefined
  readonly choices: readonly Choice<T>[]
  readonly onChange: (value: T | undefined) => void
}) {
  const { label, all, value, choices, onChange } = props
  return (
    <select
      aria-label={label}
      value={value ?? ''}
      onChange={(event) => {
        onChange(choices.find((choice) => choice.value === event.target.value)?.value)
      }}
    >
      <option value="">{all}</option>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  )
}

/** A method for pictures and one for texts may share an id: the filter takes both. */
function oneAnId(methods: readonly { readonly id: string; readonly title: string }[]) {
  return [...new Map(methods.map(({ id, title }) => [id, { value: id, label: title }])).values()]
}

/** What of the history to show. */
export function HistoryFilters({ filters, onChange, searchRef }: HistoryFiltersProps) {
  const [models] = useQuery({ query: ModelChoicesDocument })
  const [methods] = useQuery({ query: MethodCardsDocument })
  const [typed, setTyped] = useState('')
  const apply = useEffectEvent((search: string) => {
    const next = search.trim() === '' ? undefined : search.trim()
    if (next !== (filters.search ?? undefined)) set({ search: next })
  })
  useEffect(() => {
    const timer = setTimeout(() => {
      apply(typed)
    }, SEARCH_PAUSE_MS)
    return () => {
      clearTimeout(timer)
    }
  }, [typed])

  function set(part: { readonly [K in keyof Filters]: Filters[K] | undefined }) {
    const merged = { ...filters, ...part }
    onChange(Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined)))
  }

  return (
    <div className={styles['filters']} role="search" aria-label="Filter the history">
      <input
        ref={searchRef}
        type="search"
        aria-label="Search reviews, file names and notes"
        placeholder="Search words, files, notes"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
        }}
      />
      <FilterSelect
        label="Kind of input"
        all="Any input"
        value={filters.modality}
        choices={MODALITIES}
        onChange={(modality) => {
          set({ modality })
        }}
      />
      <FilterSelect
        label="Model"
        all="All models"
        value={filters.model}
        choices={(models.data?.models ?? []).map(({ id, title }) => ({ value: id, label: title }))}
        onChange={(model) => {
          set({ model })
        }}
      />
      <FilterSelect
        label="Method"
        all="All methods"
        value={filters.method}
        choices={oneAnId(methods.data?.methods ?? [])}
        onChange={(method) => {
          set({ method })
        }}
      />
      <FilterSelect
        label="Status"
        all="Any status"
        value={filters.status}
        choices={STATUSES}
        onChange={(status) => {
          set({ status })
        }}
      />
    </div>
  )
}
