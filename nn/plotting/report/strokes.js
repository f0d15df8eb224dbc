// From strokes, lists of points {x, y}, to an image as MNIST has them: the digit fits a box of 20 of 28 pixels, and its
// center of mass lies in the middle. All lengths are shares of the image's side.

const BOX = 20 / 28;
const PEN = 1.45 / 28; // half the width of a line
const CENTER = 14.5 / 28; // mean center of mass of MNIST's images

// The pixels (side * side) of strokes, from 0 to 1.
function imageOf(strokes, side) {
  const points = strokes.flat();
  if (!points.length) return new Float32Array(side * side);
  const [left, right] = range(points.map((point) => point.x)), [top, bottom] = range(points.map((point) => point.y));
  const scale = Math.min((BOX - 2 * PEN) / Math.max(right - left, bottom - top, 0.05), 6);
  const at = (dx, dy) => strokes.map((stroke) => stroke.map((point) => ({
    x: (point.x - (left + right) / 2) * scale + 0.5 + dx,
    y: (point.y - (top + bottom) / 2) * scale + 0.5 + dy,
  })));
  const middle = centerOfMass(rendered(at(0, 0), side), side);
  return rendered(at(CENTER - middle.x, CENTER - middle.y), side);
}

function range(numbers) {
  return [Math.min(...numbers), Math.max(...numbers)];
}

// The share of each pixel that lines of the pen's width cover, by its distance from the nearest line.
function rendered(strokes, side) {
  const image = new Float32Array(side * side), reach = PEN * side + 0.5;
  for (const stroke of strokes) {
    stroke.forEach((end, i) => {
      const start = stroke[Math.max(i - 1, 0)];
      const [x0, y0, x1, y1] = [start.x, start.y, end.x, end.y].map((length) => length * side);
      const rows = between(Math.min(y0, y1) - reach, Math.max(y0, y1) + reach, side);
      const columns = between(Math.min(x0, x1) - reach, Math.max(x0, x1) + reach, side);
      for (let row = rows[0]; row < rows[1]; row++) {
        for (let column = columns[0]; column < columns[1]; column++) {
          const covered = reach - distance(column + 0.5, row + 0.5, x0, y0, x1, y1);
          const pixel = row * side + column;
          image[pixel] = Math.max(image[pixel], Math.min(Math.max(covered, 0), 1));
        }
      }
    });
  }
  return image;
}

function between(low, high, side) {
  return [Math.max(0, Math.floor(low)), Math.min(side, Math.ceil(high))];
}

// The distance of the point (x, y) from a line.
function distance(x, y, x0, y0, x1, y1) {
  const dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
  const along = length ? Math.min(Math.max(((x - x0) * dx + (y - y0) * dy) / length, 0), 1) : 0;
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

function centerOfMass(image, side) {
  let total = 0, x = 0, y = 0;
  image.forEach((value, i) => {
    total += value;
    x += value * ((i % side) + 0.5);
    y += value * (Math.floor(i / side) + 0.5);
  });
  return { x: x / total / side, y: y / total / side };
}
