'use client'

import { useEffect, useRef, useState } from 'react'
import { Dialog } from '../_ui/Dialog.tsx'
import { Notice } from '../_ui/Notice.tsx'
import { Progress } from '../_ui/Progress.tsx'
import styles from './CameraDialog.module.css'

interface CameraDialogProps {
  readonly onPhoto: (photo: Blob) => void
  readonly onClose: () => void
}

function reasonOf(thrown: unknown): string {
  const name = thrown instanceof DOMException ? thrown.name : ''
  if (name === 'NotAllowedError')
    return 'The browser does not allow this page to use the camera. Allow it in the address bar.'
  if (name === 'NotFoundError') return 'No camera was found. Connect one, or choose a photo from a file.'
  if (name === 'NotReadableError') return 'Another program is using the camera. Close it, then try again.'
  return 'The camera cannot be used here. Choose a photo from a file instead.'
}

async function openCamera(): Promise<MediaStream> {
  // `mediaDevices` is missing where the page is not served from localhost or over HTTPS
  const devices = (navigator as Partial<Navigator>).mediaDevices
  if (!devices) throw new Error('no camera access on this address')
  return devices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: 'environment' }, audio: false })
}

/** Shows the camera and takes one photo. */
export function CameraDialog({ onPhoto, onClose }: CameraDialogProps) {
  const video = useRef<HTMLVideoElement>(null)
  const [state, setState] = useState<'asking' | 'live' | { readonly problem: string }>('asking')

  useEffect(() => {
    let stream: MediaStream | null = null
    let closed = false
    openCamera().then(
      (opened) => {
        stream = opened
        if (closed || !video.current) {
          stopTracks(opened)
          return
        }
        video.current.srcObject = opened
        setState('live')
      },
      (thrown: unknown) => {
        if (!closed) setState({ problem: reasonOf(thrown) })
      },
    )
    return () => {
      closed = true
      if (stream) stopTracks(stream)
    }
  }, [])

  function takePhoto() {
    const source = video.current
    if (!source) return
    const canvas = document.createElement('canvas')
    canvas.width = source.videoWidth
    canvas.height = source.videoHeight
    canvas.getContext('2d')?.drawImage(source, 0, 0)
    canvas.toBlob(
      (photo) => {
        if (photo) onPhoto(photo)
      },
      'image/jpeg',
      0.95,
    )
  }

  return (
    <Dialog title="Take a photo" onClose={onClose}>
      <div className={styles['camera']}>
        {state === 'asking' ? <Progress label="Waiting for the camera…" /> : null}
        {typeof state === 'object' ? <Notice tone="error">{state.problem}</Notice> : null}
        <video ref={video} autoPlay playsInline muted hidden={state !== 'live'} aria-label="What the camera sees" />
        <div className={styles['buttons']}>
          <button type="button" data-variant="primary" disabled={state !== 'live'} onClick={takePhoto}>
            Take the photo
          </button>
        </div>
      </div>
    </Dialog>
  )
}

function stopTracks(stream: MediaStream) {
  for (const track of stream.getTracks()) track.stop()
}
