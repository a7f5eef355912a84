"use strict";
(async () => {
  const $ = (id) => document.getElementById(id);
  const meta = JSON.parse($("meta").textContent);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  // ---- the cloud, from text to typed arrays, in random order: any first part of it is an even sample ----
  async function unpack() {
    const packed = Uint8Array.from(atob($("data").textContent.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(stream).arrayBuffer();
    $("data").remove();
    const n = meta.count;
    let at = 0;
    const take = (Kind) => {
      const part = new Kind(bytes.slice(at, at + n * Kind.BYTES_PER_ELEMENT));
      at += n * Kind.BYTES_PER_ELEMENT;
      return part;
    };
    const place = [take(Uint16Array), take(Uint16Array), take(Uint16Array)];
    const color = [take(Uint8Array), take(Uint8Array), take(Uint8Array)];
    const kind = take(Uint8Array), owner = take(Uint16Array), walls = take(Uint16Array), sure = take(Uint8Array);
    const light = take(Uint8Array);
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    let seed = 12345;
    for (let i = n - 1; i > 0; i--) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((seed / 4294967296) * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    const cloud = {
      n, place: new Uint16Array(3 * n), color: new Uint8Array(3 * n),
      kind: new Uint8Array(n), owner: new Uint16Array(n), walls: new Uint16Array(n), sure: new Uint8Array(n),
      light: new Uint8Array(n),
    };
    for (let i = 0; i < n; i++) {
      const from = order[i];
      for (let axis = 0; axis < 3; axis++) {
        cloud.place[3 * i + axis] = place[axis][from];
        cloud.color[3 * i + axis] = color[axis][from];
      }
      cloud.kind[i] = kind[from];
      cloud.owner[i] = owner[from];
      cloud.walls[i] = walls[from];
      cloud.sure[i] = sure[from];
      cloud.light[i] = light[from];
    }
    return cloud;
  }

  // ---- drawing ----
  const canvas = $("canvas"), stage = $("stage");
  THREE.ColorManagement.enabled = false; // colours are shown as they were measured
  let renderer;
  try {
    renderer = new THREE.WebGLRenderer({ canvas, antialias: false, powerPreference: "high-performance" });
  } catch {
    $("wait").textContent = "This browser cannot draw in 3-D (WebGL 2 is switched off or missing).";
    return;
  }
  renderer.outputColorSpace = THREE.LinearSRGBColorSpace;
  const scene = new THREE.Scene();
  const camera = new THREE.PerspectiveCamera(50, 1, 0.02, 500);
  camera.up.set(0, 0, 1);
  const controls = new THREE.OrbitControls(camera, canvas);
  controls.enableDamping = !still;
  controls.dampingFactor = 0.12;
  controls.zoomToCursor = true;
  controls.maxDistance = 200;
  controls.minDistance = 0.05;

  const cloud = await unpack();
  const low = new THREE.Vector3(...meta.low), extent = new THREE.Vector3(...meta.extent);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(cloud.place, 3, true));
  geometry.setAttribute("tint", new THREE.BufferAttribute(new Uint8Array(3 * cloud.n), 3, true));
  geometry.setAttribute("owner", new THREE.BufferAttribute(Float32Array.from(cloud.owner), 1));
  geometry.setAttribute("walls", new THREE.BufferAttribute(Float32Array.from(cloud.walls), 1));
  geometry.setAttribute("shown", new THREE.BufferAttribute(new Uint8Array(cloud.n).fill(255), 1, true));
  const ground = new THREE.Color();
  const material = new THREE.ShaderMaterial({
    uniforms: {
      low: { value: low }, extent: { value: extent }, size: { value: 1 }, scale: { value: 1 }, most: { value: 1 },
      chosen: { value: 0 }, cut: { value: 1e9 }, side: { value: 0 }, ground: { value: ground },
    },
    vertexShader: `
      uniform vec3 low, extent; uniform float size, scale, most, chosen, cut, side;
      attribute vec3 tint; attribute float owner, shown, walls;
      varying vec3 ink; varying float faded;
      void main() {
        vec3 world = low + position * extent;
        vec4 seen = viewMatrix * vec4(world, 1.0);
        gl_Position = projectionMatrix * seen;
        // side is 2 to the number of the side we look from, 0 to leave walls closed
        bool hides = side > 0.5 && mod(floor(walls / side), 2.0) > 0.5;
        if (shown < 0.5 || world.z > cut || hides) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
        gl_PointSize = clamp(size * scale / -seen.z, 1.6, most);
        ink = tint;
        faded = chosen > 0.5 && abs(owner - chosen) > 0.5 ? 0.72 : 0.0;
      }`,
    fragmentShader: `
      uniform vec3 ground; varying vec3 ink; varying float faded;
      void main() {
        vec2 off = gl_PointCoord - 0.5;
        if (dot(off, off) > 0.25) discard;
        gl_FragColor = vec4(mix(ink, ground, faded), 1.0);
      }`,
  });
  const points = new THREE.Points(geometry, material);
  points.frustumCulled = false;
  scene.add(points);

  // Eye-dome lighting: what lies behind its neighbours is darker. It gives flat colours their shape.
  const target = new THREE.WebGLRenderTarget(1, 1, { minFilter: THREE.NearestFilter, magFilter: THREE.NearestFilter });
  target.depthTexture = new THREE.DepthTexture(1, 1);
  const dome = new THREE.ShaderMaterial({
    depthTest: false, depthWrite: false,
    uniforms: {
      picture: { value: target.texture }, depth: { value: target.depthTexture }, pixel: { value: new THREE.Vector2() },
      near: { value: 0 }, far: { value: 0 }, ground: { value: ground }, reach: { value: 1 },
      grain: { value: 1.5 * meta.spacing },
    },
    vertexShader: "varying vec2 at; void main() { at = uv; gl_Position = vec4(position.xy, 0.0, 1.0); }",
    fragmentShader: `
      uniform sampler2D picture, depth; uniform vec2 pixel; uniform float near, far, reach, grain; uniform vec3 ground;
      varying vec2 at;
      float metres(vec2 place) {
        float z = texture2D(depth, place).r;
        return z >= 1.0 ? 1e6 : near * far / (far - z * (far - near));
      }
      void main() {
        float here = metres(at);
        if (here > 1e5) { gl_FragColor = vec4(ground, 1.0); return; }
        float sum = 0.0;
        for (int k = 0; k < 8; k++) {
          float turn = 0.785398 * float(k);
          vec2 step = vec2(cos(turn), sin(turn)) * pixel * reach;
          // Opposite neighbours together: a tilted plane stays bright.
          float bend = log2(here) - 0.5 * (log2(metres(at + step)) + log2(min(metres(at - step), here * 1.02)));
          sum += clamp(bend - grain / here, 0.0, 0.02); // not the steps from point to point
        }
        gl_FragColor = vec4(texture2D(picture, at).rgb * exp(-7.0 * sum), 1.0);
      }`,
  });
  const quad = new THREE.Mesh(new THREE.PlaneGeometry(2, 2), dome);
  quad.frustumCulled = false;
  const quadScene = new THREE.Scene().add(quad), quadCamera = new THREE.OrthographicCamera(-1, 1, 1, -1, 0, 1);

  // ---- boxes: twelve thin beams each ----
  const boxes = new THREE.Group();
  scene.add(boxes);
  const objects = meta.objects.map((entry, index) => ({ ...entry, number: index + 1 }));
  const beam = new THREE.BoxGeometry(1, 1, 1);
  function boxOf(object) {
    const group = new THREE.Group();
    if (!object.size) return group;
    const [a, b, c] = object.rotation;
    const turn = new THREE.Matrix4().set(a[0], a[1], a[2], 0, b[0], b[1], b[2], 0, c[0], c[1], c[2], 0, 0, 0, 0, 1);
    group.quaternion.setFromRotationMatrix(turn);
    group.position.set(...object.center);
    const thick = Math.min(0.025, Math.max(0.003, 0.01 * Math.max(...object.size)));
    const ink = new THREE.MeshBasicMaterial({ color: new THREE.Color(...object.color.map((v) => v / 255)) });
    for (let axis = 0; axis < 3; axis++)
      for (const u of [-0.5, 0.5])
        for (const v of [-0.5, 0.5]) {
          const edge = new THREE.Mesh(beam, ink);
          const span = [thick, thick, thick];
          span[axis] = object.size[axis] + thick;
          edge.scale.set(...span);
          const place = [0, 0, 0];
          place[(axis + 1) % 3] = u * object.size[(axis + 1) % 3];
          place[(axis + 2) % 3] = v * object.size[(axis + 2) % 3];
          edge.position.set(...place);
          group.add(edge);
        }
    return group;
  }
  for (const object of objects) {
    object.box = boxOf(object);
    object.volume = object.size ? object.size[0] * object.size[1] * object.size[2] : 0;
    boxes.add(object.box);
  }

  // ---- state ----
  const state = { mode: meta.colored ? "color" : "instance", chosen: 0, drawn: cloud.n, hidden: new Set() };
  const grey = [203, 205, 209];
  const stops = [[0, 34, 78], [87, 93, 109], [165, 156, 116], [254, 232, 56]];
  function confidenceColor(value) {
    const x = (value / 255) * (stops.length - 1), i = Math.min(Math.floor(x), stops.length - 2), t = x - i;
    return stops[i].map((v, k) => v * (1 - t) + stops[i + 1][k] * t);
  }
  function colorBy(mode) {
    state.mode = mode;
    const tint = geometry.attributes.tint.array;
    if (mode === "color") tint.set(cloud.color);
    else {
      const table = [];
      if (mode === "class") for (let k = 0; k < 256; k++) table.push(meta.classes[k] ? meta.classes[k].color : meta.unlabeled);
      if (mode === "instance") table.push(grey, ...objects.map((object) => object.color));
      if (mode === "confidence") for (let k = 0; k < 256; k++) table.push(confidenceColor(k));
      const source = { class: cloud.kind, instance: cloud.owner, confidence: cloud.sure }[mode];
      for (let i = 0; i < cloud.n; i++) {
        const ink = table[source[i]], light = cloud.light[i] / 255;
        for (let k = 0; k < 3; k++) tint[3 * i + k] = ink[k] * light;
      }
    }
    geometry.attributes.tint.needsUpdate = true;
    for (const button of $("modes").children) button.setAttribute("aria-pressed", button.dataset.mode === mode);
    $("scale").hidden = mode !== "confidence";
    wake();
  }

  // ---- legend ----
  const counts = new Map();
  for (const kind of cloud.kind) counts.set(kind, (counts.get(kind) || 0) + 1);
  for (const [kind] of [...counts].sort((a, b) => b[1] - a[1])) {
    const entry = meta.classes[kind] || { name: "unlabelled", color: meta.unlabeled };
    const button = document.createElement("button");
    button.type = "button";
    button.style.setProperty("--own", `rgb(${entry.color})`);
    button.innerHTML = '<i class="chip"></i>';
    button.append(entry.name);
    button.setAttribute("aria-pressed", "true");
    button.onclick = () => {
      state.hidden.has(kind) ? state.hidden.delete(kind) : state.hidden.add(kind);
      button.setAttribute("aria-pressed", !state.hidden.has(kind));
      const shown = geometry.attributes.shown;
      for (let i = 0; i < cloud.n; i++) shown.array[i] = state.hidden.has(cloud.kind[i]) ? 0 : 255;
      shown.needsUpdate = true;
      wake();
    };
    $("legend").append(button);
  }

  // ---- table ----
  const known = objects.filter((object) => object.label);
  let sortKey = "points", sortDown = true;
  function fill() {
    const value = (object) => (sortKey === "label" ? object.label : object[sortKey]);
    known.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (sortDown ? -1 : 1));
    $("objects").replaceChildren(...known.map((object) => object.row));
    for (const th of document.querySelectorAll("th"))
      th.setAttribute("aria-sort", th.dataset.key === sortKey ? (sortDown ? "descending" : "ascending") : "none");
  }
  for (const object of known) {
    const row = document.createElement("tr");
    row.tabIndex = 0;
    row.dataset.id = object.id;
    row.style.setProperty("--own", `rgb(${object.color})`);
    const cells = [
      `${object.label}`, object.score.toFixed(2), object.points.toLocaleString("en"),
      object.size.map((v) => v.toFixed(2)).join("×"),
    ];
    for (const text of cells) row.insertCell().textContent = text;
    row.cells[0].insertAdjacentHTML("afterbegin", '<i class="chip"></i>');
    row.title = `object ${object.id}${object.seen ? `, ${object.seen}` : ""}`;
    row.onclick = () => choose(state.chosen === object.number ? 0 : object.number);
    row.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        row.onclick();
      }
    };
    object.row = row;
  }
  for (const th of document.querySelectorAll("th"))
    th.onclick = () => {
      sortDown = sortKey === th.dataset.key ? !sortDown : th.dataset.key !== "label";
      sortKey = th.dataset.key;
      fill();
    };
  fill();
  $("none").hidden = known.length > 0;

  function choose(number, fly = true) {
    state.chosen = number;
    material.uniforms.chosen.value = number;
    for (const object of known) object.row.setAttribute("aria-selected", object.number === number);
    const object = objects[number - 1];
    $("seen").hidden = !(object && object.seen);
    $("seen").textContent = object && object.seen ? `${object.label} ${object.id}: ${object.seen}` : "";
    if (object && object.row) {
      object.row.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
      if (fly) flyTo(object);
    }
    showBoxes();
    wake();
  }
  function showBoxes() {
    for (const object of objects) object.box.visible = $("show-boxes").checked || object.number === state.chosen;
  }

  // ---- moving the camera ----
  let flight = null;
  function go(position, aim) {
    const from = { position: camera.position.clone(), aim: controls.target.clone(), start: performance.now() };
    flight = (now) => {
      const t = still ? 1 : Math.min(1, (now - from.start) / 650), s = t * t * (3 - 2 * t);
      camera.position.lerpVectors(from.position, position, s);
      controls.target.lerpVectors(from.aim, aim, s);
      if (t === 1) flight = null;
    };
    wake();
  }
  const first = { position: new THREE.Vector3(...meta.view.position), aim: new THREE.Vector3(...meta.view.target) };
  function flyTo(object) {
    const aim = new THREE.Vector3(...object.center);
    const radius = 0.5 * Math.hypot(...object.size);
    const narrow = Math.min(1, camera.aspect);
    const distance = Math.max(0.35, (1.5 * radius) / Math.tan((camera.fov * Math.PI) / 360) / narrow);
    // Towards where it was seen from; a room from where we are, but from above.
    const away = (meta.view.camera ? first.position : camera.position).clone().sub(aim);
    if (!meta.view.camera) away.z = Math.max(away.z, 0.6 * Math.hypot(away.x, away.y));
    go(aim.clone().addScaledVector(away.normalize(), distance), aim);
  }
  const home = () => { choose(0); go(first.position.clone(), first.aim.clone()); };

  // ---- picking: the nearest point under the finger ----
  function pick(x, y, within) {
    const m = new THREE.Matrix4().multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse).elements;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    const cut = material.uniforms.cut.value, side = material.uniforms.side.value;
    let best = -1, bestScore = Infinity;
    for (let i = 0; i < cloud.n; i++) {
      if (state.hidden.has(cloud.kind[i]) || cloud.walls[i] & side) continue;
      const px = meta.low[0] + (cloud.place[3 * i] / 65535) * meta.extent[0];
      const py = meta.low[1] + (cloud.place[3 * i + 1] / 65535) * meta.extent[1];
      const pz = meta.low[2] + (cloud.place[3 * i + 2] / 65535) * meta.extent[2];
      if (pz > cut) continue;
      const w = m[3] * px + m[7] * py + m[11] * pz + m[15];
      if (w < camera.near) continue;
      const dx = (((m[0] * px + m[4] * py + m[8] * pz + m[12]) / w) * 0.5 + 0.5) * width - x;
      const dy = (0.5 - ((m[1] * px + m[5] * py + m[9] * pz + m[13]) / w) * 0.5) * height - y;
      const off = Math.hypot(dx, dy);
      if (off > within) continue;
      const score = w * (1 + 0.03 * off);
      if (score < bestScore) { bestScore = score; best = i; }
    }
    return best < 0 ? 0 : cloud.owner[best];
  }
  let pressed = null;
  canvas.addEventListener("pointerdown", (event) => {
    pressed = event.isPrimary ? [event.clientX, event.clientY, event.button] : null;
    $("hint").style.opacity = 0;
    flight = null;
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!pressed || pressed[2] !== 0) return;
    if (Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 6) return;
    const frame = canvas.getBoundingClientRect();
    const number = pick(event.clientX - frame.left, event.clientY - frame.top, event.pointerType === "touch" ? 18 : 7);
    choose(number === state.chosen ? 0 : number, false);
  });
  canvas.addEventListener("dblclick", () => { if (state.chosen) flyTo(objects[state.chosen - 1]); });

  // ---- names over objects ----
  const labels = known.map((object) => {
    const span = document.createElement("span");
    span.textContent = object.label;
    span.style.setProperty("--own", `rgb(${object.color})`);
    $("names").append(span);
    object.span = span;
    const up = object.rotation[2].reduce((sum, v, k) => sum + Math.abs(v) * object.size[k] * 0.5, 0);
    object.top = new THREE.Vector3(object.center[0], object.center[1], object.center[2] + up);
    return object;
  }).sort((a, b) => b.points - a.points);
  const at = new THREE.Vector3();
  function placeNames() {
    const width = canvas.clientWidth, height = canvas.clientHeight, taken = [];
    const first = labels.filter((o) => o.number === state.chosen), rest = labels.filter((o) => o.number !== state.chosen);
    for (const object of [...first, ...rest]) {
      const span = object.span, chosen = object.number === state.chosen;
      at.copy(object.top).project(camera);
      const x = (at.x * 0.5 + 0.5) * width, y = (0.5 - at.y * 0.5) * height - 12;
      const half = (object.label.length * 7 + 20) / 2;
      const clash = taken.some(([u, v, h]) => Math.abs(u - x) < h + half && Math.abs(v - y) < 20);
      const out = at.z > 1 || x < 0 || y < 0 || x > width || y > height || object.center[2] > material.uniforms.cut.value;
      const show = $("show-names").checked && !out && (!clash || chosen) && (taken.length < 40 || chosen);
      span.style.display = show ? "" : "none";
      span.className = chosen ? "chosen" : "";
      if (show) {
        span.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
        taken.push([x, y, half]);
      }
    }
  }

  // ---- the loop: draws when something changed; while moving, as many points as keep it fluid ----
  let until = 0, share = 1, last = 0, asked = false;
  function wake() {
    until = performance.now() + 400;
    if (!asked) { asked = true; requestAnimationFrame(frame); }
  }
  function resize() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const width = stage.clientWidth, height = stage.clientHeight;
    if (!width || !height) return;
    renderer.setPixelRatio(ratio);
    renderer.setSize(width, height, false);
    target.setSize(Math.round(width * ratio), Math.round(height * ratio));
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    material.uniforms.scale.value = (height * ratio) / (2 * Math.tan((camera.fov * Math.PI) / 360));
    material.uniforms.most.value = 14 * ratio;
    dome.uniforms.pixel.value.set(1 / target.width, 1 / target.height);
    dome.uniforms.reach.value = 1.4 * ratio;
    wake();
  }
  // Which of the sides around the room the camera stands on; from inside none is in the way.
  function sideSeen() {
    const x = camera.position.x - controls.target.x, y = camera.position.y - controls.target.y;
    return ((Math.round((Math.atan2(y, x) / (2 * Math.PI)) * meta.walls) % meta.walls) + meta.walls) % meta.walls;
  }
  function inside() {
    const p = camera.position;
    return [p.x, p.y, p.z].every((v, k) => v > meta.low[k] && v < meta.low[k] + meta.extent[k]);
  }
  function frame(now) {
    asked = false;
    const pause = now - last;
    last = now;
    const before = camera.position.clone();
    if (flight) flight(now);
    controls.update();
    const moving = flight !== null || before.distanceToSquared(camera.position) > 1e-10;
    if (moving) {
      if (pause < 250) share = pause > 38 ? Math.max(0.08, share * 0.8) : pause < 20 ? Math.min(1, share * 1.08) : share;
      until = now + 300;
    }
    state.drawn = Math.round(cloud.n * (moving ? share : 1));
    geometry.setDrawRange(0, state.drawn);
    // Fewer points are drawn larger, so that surfaces stay closed.
    material.uniforms.size.value = meta.spacing * 2.2 * $("size").value / Math.sqrt(Math.max(state.drawn, 1) / Math.max(cloud.n, 1));
    material.uniforms.side.value = $("open").checked && meta.walls && !inside() ? 2 ** sideSeen() : 0;
    dome.uniforms.near.value = camera.near;
    dome.uniforms.far.value = camera.far;
    renderer.setRenderTarget(target);
    renderer.setClearColor(ground, 1);
    renderer.clear();
    renderer.render(scene, camera);
    renderer.setRenderTarget(null);
    renderer.render(quadScene, quadCamera);
    placeNames();
    if (flight || now < until) { asked = true; requestAnimationFrame(frame); }
  }

  // ---- wiring ----
  const shade = () => { ground.set(getComputedStyle(stage).backgroundColor); wake(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", shade);
  controls.addEventListener("change", wake);
  controls.addEventListener("start", wake);
  new ResizeObserver(resize).observe(stage);
  for (const button of $("modes").children) {
    button.onclick = () => colorBy(button.dataset.mode);
    if (button.dataset.mode === "color") button.disabled = !meta.colored;
  }
  $("home").onclick = home;
  $("size").oninput = wake;
  $("show-names").onchange = wake;
  $("open").onchange = wake;
  $("open").parentElement.hidden = !meta.walls;
  $("show-boxes").onchange = () => { showBoxes(); wake(); };
  const top = meta.low[2] + meta.extent[2];
  $("cut").oninput = () => {
    const value = Number($("cut").value);
    material.uniforms.cut.value = value >= 1 ? 1e9 : meta.low[2] + value * meta.extent[2];
    wake();
  };
  if (meta.view.cut !== null) $("cut").value = Math.max(0.05, (meta.view.cut - meta.low[2]) / (top - meta.low[2]));
  $("cut").oninput();
  $("fold").onclick = () => {
    const folded = $("panel").classList.toggle("folded");
    $("fold").textContent = folded ? "▴" : "▾";
    $("fold").setAttribute("aria-expanded", !folded);
  };
  addEventListener("keydown", (event) => {
    if (event.target.matches("input")) return;
    if (event.key === "Escape") choose(0);
    if (event.key === "h") home();
    const mode = ["color", "class", "instance", "confidence"][event.key - 1];
    if (mode && !(mode === "color" && !meta.colored)) colorBy(mode);
  });

  const number = (value) => value.toLocaleString("en");
  $("title").textContent = meta.title || "Segmented cloud";
  const sampled = meta.count < meta.total
    ? `shows ${number(meta.count)} of ${number(meta.total)} points, thinned evenly`
    : `${number(meta.total)} points`;
  $("facts").textContent = `${sampled} · ${known.length} object${known.length === 1 ? "" : "s"}`;
  camera.position.copy(first.position);
  controls.target.copy(first.aim);
  showBoxes();
  shade();
  resize();
  colorBy(state.mode);
  $("wait").remove();
  window.instseg3d = { state, camera, controls, objects, choose, colorBy, pick };
  document.body.dataset.ready = "true";
})();
