import L from 'leaflet';

const MAPBOX_TOKEN = import.meta.env.VITE_MAPBOX_TOKEN;
const STYLE = 'mapbox/outdoors-v12';

export function createMap(element, [lat, lng]) {
  const map = L.map(element).setView([lat, lng], 13);
  L.tileLayer(`https://api.mapbox.com/styles/v1/${STYLE}/tiles/256/{z}/{x}/{y}?access_token=${MAPBOX_TOKEN}`, {
    attribution: '© Mapbox, © OpenStreetMap',
    maxZoom: 18,
  }).addTo(map);
  return map;
}
