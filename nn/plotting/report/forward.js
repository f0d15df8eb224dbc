// The forward pass of a network for one row, as nn/layers computes it. A value is {shape, data: Float32Array}.
// Sums are added up in float64 and stored as float32.

const ACTIVATIONS = {
  sigmoid: () => (x) => (1 + Math.tanh(x / 2)) / 2,
  tanh: () => Math.tanh,
  relu: () => (x) => Math.max(x, 0),
  leaky_relu: (layer) => (x) => (x > 0 ? x : layer.slope * x),
  elu: (layer) => (x) => (x > 0 ? x : layer.alpha * Math.expm1(x)),
  gelu: () => (x) => {
    const near = Math.min(Math.max(x, -10), 10);
    return (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (near + 0.044715 * near ** 3)))) / 2;
  },
  softplus: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  identity: () => (x) => x,
  dropout: () => (x) => x, // when predicting
};

const LAYERS = { dense, conv2d, maxpool2d, averagepool2d, globalaveragepool2d, flatten };

function dense(layer, params, x) {
  const { units } = layer, W = params.W, sums = Float64Array.from(params.b);
  for (let i = 0; i < x.data.length; i++) {
    const value = x.data[i];
    if (value === 0) continue; // most pixels of a digit
    for (let j = 0, at = i * units; j < units; j++) sums[j] += value * W[at + j];
  }
  return { shape: [units], data: Float32Array.from(sums) };
}

function conv2d(layer, params, x) {
  const [h, w, c] = x.shape, f = layer.filters, W = params.W;
  const [down, along] = windows(x.shape, layer.kernel, layer.stride, layer.padding);
  const out = new Float32Array(down.count * along.count * f), sums = new Float64Array(f);
  for (let row = 0, at = 0; row < down.count; row++) {
    for (let column = 0; column < along.count; column++, at += f) {
      sums.set(params.b);
      for (let p = 0; p < down.kernel; p++) {
        const y = row * down.stride - down.before + p;
        if (y < 0 || y >= h) continue;
        for (let q = 0; q < along.kernel; q++) {
          const z = column * along.stride - along.before + q;
          if (z < 0 || z >= w) continue;
          for (let k = 0; k < c; k++) {
            const value = x.data[(y * w + z) * c + k];
            if (value === 0) continue;
            const first = ((p * along.kernel + q) * c + k) * f;
            for (let j = 0; j < f; j++) sums[j] += value * W[first + j];
          }
        }
      }
      out.set(sums, at);
    }
  }
  return { shape: [down.count, along.count, f], data: out };
}

// Apply a function (old, pixel) -> new to the pixels of each window, and `end` to what it gives and their number.
function pool(layer, x, start, step, end) {
  const [h, w, c] = x.shape;
  const [down, along] = windows(x.shape, layer.size, layer.stride ?? layer.size, layer.padding);
  const out = new Float32Array(down.count * along.count * c);
  let at = 0;
  for (let row = 0; row < down.count; row++) {
    const top = row * down.stride - down.before;
    for (let column = 0; column < along.count; column++) {
      const left = column * along.stride - along.before;
      for (let k = 0; k < c; k++) {
        let value = start, count = 0;
        for (let y = Math.max(top, 0); y < Math.min(top + down.kernel, h); y++) {
          for (let z = Math.max(left, 0); z < Math.min(left + along.kernel, w); z++, count++) {
            value = step(value, x.data[(y * w + z) * c + k]);
          }
        }
        out[at++] = end(value, count);
      }
    }
  }
  return { shape: [down.count, along.count, c], data: out };
}

function maxpool2d(layer, params, x) {
  return pool(layer, x, -Infinity, Math.max, (value) => value);
}

function averagepool2d(layer, params, x) {
  return pool(layer, x, 0, (sum, pixel) => sum + pixel, (sum, count) => sum / count);
}

function globalaveragepool2d(layer, params, x) {
  const [h, w, c] = x.shape, sums = new Float64Array(c);
  x.data.forEach((value, i) => (sums[i % c] += value));
  return { shape: [c], data: Float32Array.from(sums, (sum) => sum / (h * w)) };
}

function flatten(layer, params, x) {
  return { shape: [x.data.length], data: x.data };
}

// The windows down and along an image, as nn/layers/windows.py places them.
function windows(shape, kernel, stride, padding) {
  const pair = (value) => (Array.isArray(value) ? value : [value, value]);
  return [0, 1].map((axis) => {
    const size = shape[axis], width = pair(kernel)[axis], step = pair(stride)[axis];
    if (padding === "valid") return { kernel: width, stride: step, count: Math.floor((size - width) / step) + 1, before: 0 };
    const count = Math.ceil(size / step);
    return { kernel: width, stride: step, count, before: Math.max(0, (count - 1) * step + width - size) >> 1 };
  });
}

// The outputs of the network for its inputs x, a Float32Array.
function forward(network, x) {
  let value = { shape: network.shape, data: x };
  network.layers.forEach((layer, index) => {
    const activation = ACTIVATIONS[layer.name];
    value = activation
      ? { shape: value.shape, data: value.data.map(activation(layer)) }
      : LAYERS[layer.name](layer, network.params[index], value);
  });
  return value.data;
}

// The probabilities of the classes, as the losses in nn/models/losses.py give them.
function probabilities(network, outputs) {
  const z = Array.from(outputs);
  if (network.loss === "binary-cross-entropy") {
    const small = Math.exp(-Math.abs(z[0])), p = (z[0] > 0 ? [small, 1] : [1, small]);
    return p.map((value) => value / (1 + small));
  }
  const least = network.loss === "mse" ? Math.min(...z, 0) : Math.max(...z);
  const shares = z.map((value) => (network.loss === "mse" ? value - least : Math.exp(value - least)));
  const total = shares.reduce((sum, value) => sum + value, 0);
  return shares.map((value) => (total ? value / total : 1 / z.length));
}

const BASE85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%/()*+-;,=.?@^_`{|}~";

// Five characters are four bytes; the last may be fewer.
function bytesOfBase85(text) {
  const values = new Uint8Array(128), bytes = new DataView(new ArrayBuffer(Math.ceil(text.length / 5) * 4));
  for (let i = 0; i < BASE85.length; i++) values[BASE85.charCodeAt(i)] = i;
  for (let i = 0; i < text.length; i += 5) {
    let number = 0;
    for (let j = i; j < i + 5; j++) number = number * 85 + (j < text.length ? values[text.charCodeAt(j)] : 84);
    bytes.setUint32((i / 5) * 4, number);
  }
  return new Uint8Array(bytes.buffer, 0, text.length - Math.ceil(text.length / 5));
}

// Return the network of the page's values, with its weights as arrays; `packed` in network.py wrote them.
async function unpack(live) {
  const stream = new Blob([bytesOfBase85(live.weights)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer()), count = planes.length / 4;
  const numbers = new DataView(new ArrayBuffer(planes.length)), weights = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < 4; byte++) numbers.setUint8(byte, planes[byte * count + i]);
    weights[i] = numbers.getFloat32(0, true);
  }
  const params = live.layers.map(() => ({}));
  let first = 0;
  for (const [layer, name, shape] of live.arrays) {
    const size = shape.reduce((product, length) => product * length, 1);
    params[layer][name] = weights.subarray(first, (first += size));
  }
  return { ...live, params };
}
