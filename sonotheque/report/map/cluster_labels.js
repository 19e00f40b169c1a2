"use strict";
// Places labels on a plot, so that they cover few points and never each other. A label without such a place is left out.
const placeLabels = (() => {
  const HALF_HEIGHT = 10;
  const REACH = 60; // maximum distance of a label from its cluster
  const SPACE = 4; // between labels
  const CELL = 6; // size of the cells in which points are counted
  const POINT_COST = 80; // a covered point is worse than this distance from the cluster
  const MAX_MEMBERS = 100; // of a cluster, to which the distance is measured

  const makePointCounter = (points, pointSize, [width, height]) => { // counts the points in a rectangle, from sums over a grid of cells
    const [columns, rows] = [width, height].map((length) => Math.ceil(length / CELL) + 1);
    const sums = new Int32Array((columns + 1) * (rows + 1));
    for (const [x, y] of points)
      if (x >= 0 && y >= 0 && x < width && y < height) sums[(Math.floor(y / CELL) + 1) * (columns + 1) + Math.floor(x / CELL) + 1] += 1;
    for (let row = 1; row <= rows; row += 1)
      for (let column = 1; column <= columns; column += 1) {
        const at = row * (columns + 1) + column;
        sums[at] += sums[at - 1] + sums[at - columns - 1] - sums[at - columns - 2];
      }
    const radius = pointSize / 2;
    const cellAt = (position, last) => Math.min(Math.max(Math.floor(position / CELL), 0), last);
    return (centre, half) => {
      const [[left, right], [top, bottom]] = [columns, rows].map((count, axis) => [
        cellAt(centre[axis] - half[axis] - radius, count - 1), cellAt(centre[axis] + half[axis] + radius, count - 1) + 1,
      ]);
      const sum = (row, column) => sums[row * (columns + 1) + column];
      return sum(bottom, right) - sum(top, right) - sum(bottom, left) + sum(top, left);
    };
  };
  const extentOf = (positions) => {
    const sorted = Float64Array.from(positions).sort();
    return [0.05, 0.5, 0.95].map((fraction) => sorted[Math.round(fraction * (sorted.length - 1))]);
  };
  const candidatesFor = (extents, half) => { // middles of the label's box: the cluster's middle, and a grid over the cluster and the space around it
    const [xs, ys] = extents.map(([low, , high], axis) => {
      const [first, last] = [low - half[axis] - REACH, high + half[axis] + REACH];
      const step = Math.max(axis ? 8 : 12, (last - first) / 32);
      return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, number) => first + number * step);
    });
    return [extents.map(([, middle]) => middle), ...ys.flatMap((y) => xs.map((x) => [x, y]))];
  };
  const gapTo = (centre, half, point) => Math.hypot(...[0, 1].map((axis) => Math.max(Math.abs(point[axis] - centre[axis]) - half[axis], 0)));

  const findPlace = (label, { countPoints, placed, area }) => {
    const half = [label.width / 2 + 4, HALF_HEIGHT];
    const extents = [0, 1].map((axis) => extentOf(label.members.map((member) => member[axis])));
    const step = Math.ceil(label.members.length / MAX_MEMBERS);
    const members = label.members.filter((_, at) => at % step === 0);
    const overlaps = (centre) => placed.some((other) => [0, 1].every((axis) => Math.abs(other.centre[axis] - centre[axis]) < half[axis] + other.half[axis] + SPACE));
    const maxCovered = 2 + 0.1 * label.members.length;
    let best = null;
    for (const candidate of candidatesFor(extents, half)) {
      const centre = candidate.map((position, axis) => Math.min(Math.max(position, half[axis]), area[axis] - half[axis]));
      if (overlaps(centre)) continue;
      const covered = countPoints(centre, half);
      if (covered > maxCovered) continue;
      const cost = POINT_COST * covered + 0.15 * Math.hypot(...centre.map((position, axis) => position - extents[axis][1]));
      if (best && cost >= best.cost) continue;
      const gaps = members.map((member) => gapTo(centre, half, member));
      const gap = Math.min(...gaps);
      if (gap <= REACH && (!best || cost + gap < best.cost)) best = { label, centre, half, cost: cost + gap, gap, nearest: members[gaps.indexOf(gap)] };
    }
    return best;
  };

  // labels: { text, width, members } in pixels, the most important first; returns { label, centre, nearest, gap } of those that find a place
  return (labels, { points, pointSize, area }) => {
    const countPoints = makePointCounter(points, pointSize, area);
    const placed = [];
    for (const label of labels) {
      const place = findPlace(label, { countPoints, placed, area });
      if (place) placed.push(place);
    }
    return placed;
  };
})();
