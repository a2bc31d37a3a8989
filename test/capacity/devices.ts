import type { Device } from '../../src/native/addon.js';

const GiB = 2 ** 30;
const device = (
  name: string,
  backend: string,
  type: Device['type'],
  description: string,
  id: string | null,
  free: number,
  total: number,
): Device => ({ name, backend, type, description, id, memoryFree: free * GiB, memoryTotal: total * GiB });

const cpu = (free: number, total: number) => device('CPU', 'CPU', 'cpu', 'Intel(R) Core(TM) i7', null, free, total);

/** Lists of devices as llama.cpp gives them, by machine. */
export const machines = {
  'CPU only': [cpu(14, 16)],
  'one NVIDIA card seen by CUDA and Vulkan': [
    cpu(28, 32),
    device('CUDA0', 'CUDA', 'gpu', 'NVIDIA GeForce RTX 4070', '0000:01:00.0', 11.3, 12),
    device('Vulkan0', 'Vulkan', 'gpu', 'NVIDIA GeForce RTX 4070', '0000:01:00.0', 11.1, 12),
  ],
  'the same card where Vulkan names no id': [
    cpu(28, 32),
    device('CUDA0', 'CUDA', 'gpu', 'NVIDIA GeForce RTX 4070', '0000:01:00.0', 11.3, 12),
    device('Vulkan0', 'Vulkan', 'gpu', 'NVIDIA GeForce RTX 4070', null, 11.1, 12),
  ],
  'laptop with Intel graphics and an NVIDIA card': [
    cpu(12, 16),
    device('CUDA0', 'CUDA', 'gpu', 'NVIDIA GeForce RTX 3050 Laptop GPU', '0000:01:00.0', 3.7, 4),
    device('Vulkan0', 'Vulkan', 'integrated-gpu', 'Intel(R) Iris(R) Xe Graphics', '0000:00:02.0', 11, 12),
    device('Vulkan1', 'Vulkan', 'gpu', 'NVIDIA GeForce RTX 3050 Laptop GPU', '0000:01:00.0', 3.6, 4),
  ],
  'laptop with Intel graphics alone': [
    cpu(12, 16),
    device('Vulkan0', 'Vulkan', 'integrated-gpu', 'Intel(R) Iris(R) Xe Graphics', '0000:00:02.0', 11, 12),
  ],
  'an AMD card by Vulkan': [
    cpu(28, 32),
    device('Vulkan0', 'Vulkan', 'gpu', 'AMD Radeon RX 7900 XTX (RADV NAVI31)', '0000:03:00.0', 23.5, 24),
  ],
  'Apple silicon': [
    device('Metal', 'MTL', 'gpu', 'Apple M2', null, 10.6, 10.67),
    device('BLAS', 'BLAS', 'accelerator', 'Accelerate', null, 0, 0),
    cpu(10, 16),
  ],
  'two different cards': [
    cpu(60, 64),
    device('CUDA0', 'CUDA', 'gpu', 'NVIDIA GeForce RTX 3090', '0000:01:00.0', 23.5, 24),
    device('CUDA1', 'CUDA', 'gpu', 'NVIDIA GeForce RTX 3060', '0000:02:00.0', 11.7, 12),
  ],
  'two cards of one kind that name no id': [
    cpu(60, 64),
    device('Vulkan0', 'Vulkan', 'gpu', 'NVIDIA GeForce RTX 3090', null, 23.5, 24),
    device('Vulkan1', 'Vulkan', 'gpu', 'NVIDIA GeForce RTX 3090', null, 23.5, 24),
  ],
} as const satisfies Record<string, readonly Device[]>;
