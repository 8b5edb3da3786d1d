// A pad to walk on in a code of two numbers: the map of many codes, and the image that the chosen place decodes to.

import { row, unpack, vector, verdict } from "./nets.js";
import { classMap, column, greyPicture, place, rowOf, slider, statusLine } from "./ui.js";

// `data`: networks decoder and (optional) judge; tensors points (N, 2), labels (N,) and (optional) images
// (N, 28, 28); classes, names of the two axes, limits, start and title.
export function mount(element, data) {
  const { tensors, networks } = unpack(data);
  const points = tensors.points.values;
  const decoded = greyPicture(168, "decoded image");
  const nearest = tensors.images && greyPicture(84, "image of the nearest code");
  const status = statusLine();
  const map = classMap(
    {
      points,
      labels: tensors.labels.values,
      limits: data.limits,
      names: data.axes,
      label: `${data.title}. The arrow keys move the point.`,
    },
    moveTo,
  );
  const sliders = data.axes.map((name, axis) => {
    const [min, max] = data.limits[axis];
    const options = { min, max, step: (max - min) / 200, value: data.start[axis], show: (value) => value.toFixed(2) };
    return slider(name, options, () => moveTo(sliders[0].value, sliders[1].value));
  });

  function moveTo(x, y) {
    map.moveTo(x, y);
    [x, y].forEach((value, axis) => (sliders[axis].value = value));
    const pixels = networks.decoder(vector(Float32Array.of(x, y)));
    decoded.show(pixels.values, `decoded from (${x.toFixed(2)}, ${y.toFixed(2)})`);
    const sentences = networks.judge ? [`The ${verdict(networks.judge(pixels).values, data.classes)}.`] : [];
    const [index, distance] = nearestTo(points, x, y);
    const name = data.classes[tensors.labels.values[index]];
    sentences.push(`The nearest code is ${distance.toFixed(2)} away, of class ${name}.`);
    nearest?.show(row(tensors.images, index).values);
    status.write(sentences.join(" "));
  }

  const right = column(decoded.element, status.element);
  if (nearest) right.append(nearest.element);
  const remove = place(
    element,
    data.title,
    rowOf(column(map.element, ...sliders.map((control) => control.element)), right),
  );
  moveTo(...data.start);
  return remove;
}

// The index of the point nearest to a place, and its distance.
export function nearestTo(points, x, y) {
  let best = 0;
  let smallest = Infinity;
  for (let index = 0; index < points.length / 2; index++) {
    const square = (points[2 * index] - x) ** 2 + (points[2 * index + 1] - y) ** 2;
    if (square < smallest) [best, smallest] = [index, square];
  }
  return [best, Math.sqrt(smallest)];
}
