'use client'

import { useState } from 'react'
import { useQuery } from 'urql'
import {
  ModelChoicesDocument,
  ModelSetupDocument,
  type ExplainInput,
  type Modality,
} from '../_graphql/generated/graphql.ts'
import { LOGIT, offers, type ExplainedNumber } from './explainedNumber.ts'
import { couldBeLoaded, type MethodInfo, type ModelChoice, type Run, type Setup } from '../_graphql/types.ts'

/** Shown first where the model has them. */
const PREFERRED_METHODS: readonly string[] = ['grad-cam', 'integrated-gradients']

interface Chosen {
  readonly model: string | null
  readonly method: string | null
  /** Per method, so that going back to one finds it as it was. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** A class, and the input it was chosen for: the next one starts with what the model predicts. */
  readonly label: { readonly name: string; readonly subject: string } | null
  readonly number: ExplainedNumber
}

export interface Settings {
  readonly models: readonly ModelChoice[]
  readonly model: ModelChoice | null
  /** Null while the model is loading. */
  readonly setup: Setup | null
  readonly method: MethodInfo | null
  readonly params: Readonly<Record<string, unknown>>
  readonly label: string | null
  readonly number: ExplainedNumber
  readonly error: ReturnType<typeof useQuery>[0]['error']
  readonly chooseModel: (id: string) => void
  readonly chooseMethod: (id: string) => void
  readonly chooseLabel: (label: string | null) => void
  readonly chooseNumber: (number: ExplainedNumber) => void
  /** `undefined` goes back to the default. */
  readonly setParam: (name: string, value: unknown) => void
  /** @param subject the run's input */
  readonly adopt: (run: Run, subject: string) => void
  readonly retry: () => void
  /** What to ask the server, without the input; null while the model is loading. */
  readonly question: Pick<ExplainInput, 'model' | 'method' | 'params' | 'target'> | null
}

/** The number that was chosen where this model has it: compared with a class it has, and not with itself. */
function fitting(number: ExplainedNumber, label: string | null, { labels, link }: Setup): ExplainedNumber {
  if (!offers(number.kind, link, labels.length)) return LOGIT
  const { against } = number
  return against !== null && (against === label || !labels.includes(against)) ? { ...number, against: null } : number
}

function targetOf(label: string | null, { kind, against }: ExplainedNumber): Pick<ExplainInput, 'target'> {
  if (kind === 'LOGIT') return label === null ? {} : { target: { label } }
  return { target: { kind, ...(label === null ? {} : { label }), ...(against === null ? {} : { against: { label: against } }) } } // prettier-ignore
}

/** What a run explained, as the form has it. */
function numberOf({ explained, predictions }: Run): ExplainedNumber {
  const { asked } = explained
  const index = typeof asked === 'object' && asked !== null && 'against' in asked ? asked.against : null
  // A class that is not among those that were sent is chosen again.
  const against = predictions.find((prediction) => prediction.index === index)?.label ?? null
  return { kind: explained.kind, against }
}

/** Its parameters; what the number to explain says now is said once. */
function paramsOf({ params }: Run): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(params ?? {}).filter(([name]) => name !== 'scalar'))
}

/**
 * Model, method, class and parameters: what was chosen, completed with what fits.
 * @param subject names the input on the bench
 */
export function useSettings(modality: Modality, subject: string): Settings {
  const [chosen, setChosen] = useState<Chosen>({ model: null, method: null, params: {}, label: null, number: LOGIT })
  const [choices, refetchChoices] = useQuery({ query: ModelChoicesDocument })
  const models = (choices.data?.models ?? []).filter((candidate) => candidate.modality === modality)
  const model = models.find(({ id }) => id === chosen.model) ?? models[0] ?? null
  const [loading, refetchSetup] = useQuery({
    query: ModelSetupDocument,
    variables: { id: model?.id ?? '' },
    pause: model === null,
  })
  const answered = loading.data?.model ?? null
  const setup = answered !== null && answered.id === model?.id && couldBeLoaded(answered) ? answered : null
  const available = (setup?.methods ?? []).filter((entry) => entry.available).map((entry) => entry.method)
  const method =
    available.find(({ id }) => id === chosen.method) ??
    available.find(({ id }) => PREFERRED_METHODS.includes(id)) ??
    available[0] ??
    null
  const params = (method && chosen.params[method.id]) ?? {}
  const asked = chosen.label?.subject === subject ? chosen.label.name : null
  const label = asked !== null && setup?.labels.includes(asked) ? asked : null
  const number = setup === null ? chosen.number : fitting(chosen.number, label, setup)

  return {
    models,
    model,
    setup,
    method,
    params,
    label,
    number,
    error: choices.error ?? loading.error,
    // layers are the model's own, so a choice of one does not survive a change of model
    chooseModel: (id) => {
      setChosen((before) => ({ ...before, model: id, params: {} }))
    },
    chooseMethod: (id) => {
      setChosen((before) => ({ ...before, method: id }))
    },
    chooseLabel: (next) => {
      setChosen((before) => ({ ...before, label: next === null ? null : { name: next, subject } }))
    },
    chooseNumber: (next) => {
      setChosen((before) => ({ ...before, number: next }))
    },
    setParam: (name, value) => {
      if (!method) return
      setChosen((before) => {
        const others = Object.entries(before.params[method.id] ?? {}).filter(([key]) => key !== name)
        const next = Object.fromEntries(value === undefined ? others : [...others, [name, value]])
        return { ...before, params: { ...before.params, [method.id]: next } }
      })
    },
    adopt: (run, of) => {
      const predicted = run.target?.index === run.predictions[0]?.index
      setChosen({
        model: run.model.id,
        method: run.method.id,
        params: { [run.method.id]: paramsOf(run) },
        label: predicted || !run.target ? null : { name: run.target.label, subject: of },
        number: numberOf(run),
      })
    },
    retry: () => {
      refetchChoices({ requestPolicy: 'network-only' })
      if (model) refetchSetup({ requestPolicy: 'network-only' })
    },
    question: model && method ? { model: model.id, method: method.id, params, ...targetOf(label, number) } : null,
  }
}
