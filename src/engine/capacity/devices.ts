import type { Device } from '../../native/addon.js';

/**
 * The GPUs that llama.cpp is told to use, in its order: every card once, though several backends see it; integrated GPUs only where
 * there is no other, and then those of one backend. The rules are those of `llama_prepare_model_devices`, which cannot tell that
 * two devices are one card where a backend names no id; then the same description in another backend is taken for the same card.
 */
export function gpusOf(devices: readonly Device[]): Device[] {
  const cards: Device[] = [];
  for (const device of devices) {
    if (device.type === 'gpu' && !cards.some(card => sameCard(card, device))) cards.push(device);
  }
  if (cards.length > 0) return cards;
  const integrated = devices.filter(device => device.type === 'integrated-gpu');
  return integrated.filter(device => device.backend === integrated[0]!.backend);
}

function sameCard(a: Device, b: Device): boolean {
  if (a.id !== null && b.id !== null) return a.id === b.id;
  return a.backend !== b.backend && a.description === b.description;
}

/**
 * Which device computes each of the last `count` of `layers` layers, the output counted as the last: llama.cpp deals them out by the
 * memory that is free (`load_tensors`). Indices of layers, one list a device.
 */
export function dealLayers(layers: number, count: number, devices: readonly Device[]): number[][] {
  const dealt: number[][] = devices.map(() => []);
  const total = devices.reduce((sum, device) => sum + device.memoryFree, 0);
  for (let i = 0; i < count; i++) {
    let before = 0;
    const at = devices.findIndex(device => {
      before += total > 0 ? device.memoryFree / total : 1 / devices.length;
      return i / count < before;
    });
    dealt[at < 0 ? devices.length - 1 : at]!.push(layers - count + i);
  }
  return dealt;
}
