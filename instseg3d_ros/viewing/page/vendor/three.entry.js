export {
  AdditiveBlending, BoxGeometry, BufferAttribute, BufferGeometry, Color, ColorManagement, DepthTexture, Group,
  LinearSRGBColorSpace, Matrix4, Mesh, MeshBasicMaterial, NearestFilter, OrthographicCamera, PerspectiveCamera,
  PlaneGeometry, Points, Quaternion, Scene, ShaderMaterial, Vector2, Vector3, WebGLRenderTarget, WebGLRenderer,
} from "three";
export { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
