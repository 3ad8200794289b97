import { describe, expect, it } from 'vitest'
import { hubSettings } from '../../../server/hub-settings.ts'

describe('the settings of the hub', () => {
  it('are the usual ones where the environment says nothing', () => {
    expect(hubSettings({}, '/home/ada')).toEqual({
      endpoint: 'https://huggingface.co',
      token: null,
      cacheFolder: '/home/ada/.cache/huggingface/hub',
      offline: false,
      maxBytes: 4096e6,
    })
  })

  it.each([
    [{ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/a'],
    [{ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/b'],
    [{ HF_HOME: '/c', XDG_CACHE_HOME: '/d' }, '/c/hub'],
    [{ XDG_CACHE_HOME: '/d' }, '/d/huggingface/hub'],
    [{ HF_HUB_CACHE: '', HF_HOME: '/c' }, '/c/hub'],
  ])('%o: the cache is %s', (env, folder) => expect(hubSettings(env, '/home/ada').cacheFolder).toBe(folder))

  it('a mirror, a token, no network', () => {
    const env = {
      HF_ENDPOINT: 'https://mirror.example/hub/',
      HF_TOKEN: 'hf_x',
      HF_HUB_OFFLINE: 'True',
      LIMELIGHT_IMPORT_MB: '10',
    }
    expect(hubSettings(env, '/')).toMatchObject({
      endpoint: 'https://mirror.example/hub',
      token: 'hf_x',
      offline: true,
      maxBytes: 1e7,
    })
  })

  it.each([
    [{ HF_ENDPOINT: 'mirror.example' }, /HF_ENDPOINT/],
    [{ HF_ENDPOINT: 'file:///etc' }, /HF_ENDPOINT/],
    [{ LIMELIGHT_IMPORT_MB: 'much' }, /LIMELIGHT_IMPORT_MB/],
  ])('%o is refused by name', (env, message) => expect(() => hubSettings(env, '/')).toThrow(message))
})
