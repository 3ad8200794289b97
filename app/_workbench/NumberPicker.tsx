'use client'

import type { Link } from '../_graphql/generated/graphql.ts'
import { Field } from '../_ui/Field.tsx'
import { ClassPicker } from './ClassPicker.tsx'
import { NUMBERS, offers, type ExplainedNumber } from './explainedNumber.ts'

interface NumberPickerProps {
  readonly link: Link
  readonly labels: readonly string[]
  readonly value: ExplainedNumber
  readonly onChoose: (number: ExplainedNumber) => void
}

/** The numbers of a class that this model has. */
export function NumberPicker({ link, labels, value, onChoose }: NumberPickerProps) {
  const choices = NUMBERS.filter(({ kind }) => offers(kind, link, labels.length))
  const chosen = choices.find(({ kind }) => kind === value.kind)
  if (choices.length < 2) return null
  return (
    <>
      <Field label="Number to explain" hint={chosen?.about}>
        {(ids) => (
          <select
            {...ids}
            value={value.kind}
            onChange={(event) => {
              const next = choices.find(({ kind }) => kind === event.target.value)
              if (next) onChoose({ kind: next.kind, against: null })
            }}
          >
            {choices.map(({ kind, title }) => (
              <option key={kind} value={kind}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      {value.kind === 'MARGIN' ? (
        <Field label="Compared with">
          {(ids) => (
            <ClassPicker
              labels={labels}
              value={value.against}
              ids={ids}
              none="The mean of all others"
              onChoose={(against) => {
                onChoose({ kind: 'MARGIN', against })
              }}
            />
          )}
        </Field>
      ) : null}
    </>
  )
}
