import AsyncStorage from '@react-native-async-storage/async-storage';
import { useEffect } from 'react';
import { Linking, Text } from 'react-native';

export function Resume({ onResume }) {
  useEffect(() => {
    AsyncStorage.getItem('draft').then((draft) => draft && onResume(JSON.parse(draft)));
    const subscription = Linking.addEventListener('url', ({ url }) => onResume({ url }));
    return () => subscription.remove();
  }, [onResume]);

  return <Text>Where were we?</Text>;
}
