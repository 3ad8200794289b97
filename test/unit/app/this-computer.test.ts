import { expect, test } from 'vitest'
import { namesThisComputer } from '../../../app/_run/thisComputer.ts'

test.each([
  'http://localhost:3000/shared/x',
  'http://limelight.localhost/shared/x',
  'http://127.0.0.1:3000/shared/x',
  'http://127.8.9.1/shared/x',
  'http://[::1]:3000/shared/x',
])('%s opens on this computer alone', (url) => {
  expect(namesThisComputer(url)).toBe(true)
})

test.each([
  'http://192.168.1.20:3000/shared/x',
  'http://127.0.0.1.example.org/shared/x',
  'http://localhost.example.org/shared/x',
  'https://limelight.example.org/shared/x',
  'http://[2001:db8::1]:3000/shared/x',
])('%s opens elsewhere too', (url) => {
  expect(namesThisComputer(url)).toBe(false)
})
