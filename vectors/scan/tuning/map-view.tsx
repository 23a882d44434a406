import { useEffect, useRef } from 'react'
import maplibre from 'maplibre-gl'

const mapboxToken = process.env.NEXT_PUBLIC_MAPBOX_TOKEN

export function MapView({ center }: { center: [number, number] }) {
  const box = useRef<HTMLDivElement>(null)

  useEffect(() => {
    const map = new maplibre.Map({
      container: box.current!,
      style: `https://api.mapbox.com/styles/v1/mapbox/streets-v12?access_token=${mapboxToken}`,
      center,
    })
    return () => map.remove()
  }, [center])

  return <div ref={box} className="map" />
}
