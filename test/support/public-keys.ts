/** Public keys that ssh-keygen made, as a `.pub` file has them, and their fingerprints. */
export const publicKeys = {
  ed25519: {
    line: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINIpXMXMGOMvSvn6zNb0LGKcyFuENfMPQgQqrYieTUKy a b@c',
    fingerprint: 'SHA256:Zyesx8bpMStOaLWyzqspOI6bPWKhq0Gf9hjZXgdUaWY',
  },
  ecdsa: {
    line: 'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNIZfcPBPY6hYHfxqUPG51CZPgmPxKACD91UsFPZlaSUjhwwIsYowW03eGJ4UEha1gYIyCfddjmsNwXFmla0kHk= a b@c',
    fingerprint: 'SHA256:2xnyt1Kk/f/3YSpJimOsEOGH5Xs8U3DS5L/G+nq1lRU',
  },
  rsa: {
    line: 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC5nAgT8ubSSEVAfzAsAc05IAXxV8kyZJsnrBxlocH3vXsvL4XfZdl20mo/NIge5Tav5IyIc8L5xFHIP/LbDjBYKHm/Ap6sR/9ZrgmaieemVCvUk0NBZdXNRDbvDcOE3qZXrkeUbhKsma+wDWrH0S/BqZs/ki21pncM9f47qiBGGLyACFuLC0TlSx6zvX0LplWBQLbfpwsNC1lPo2GQuBKSRObVEar+PjqwZMZtCkCB6kmdJZXBly4t+uMQnJeUCt6Ytq8qtdSGPb55grvnwsdkZHIzfYPaGeHw2pYMcO8Jxt3o4Qhte0bIFED8ytJEZt8R/VDWhHpyZr42gdaeYgFV a b@c',
    fingerprint: 'SHA256:lvuCZeKqTUcDVwAYOucA/jn6sneCzhCuXBmA/G2CmBI',
  },
} as const;
