{
  "targets": [
    {
      "target_name": "meditron",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake-js",
          "message": "Building with cmake-js (scripts/build.js)",
          "inputs": ["CMakeLists.txt", "<!@(node -p \"require('fs').readdirSync('native', { recursive: true }).filter(f => f.includes('.')).map(f => 'native/' + f).join(' ')\")"],
          "outputs": ["<(PRODUCT_DIR)/meditron.stamp"],
          "action": ["node", "scripts/build.js", "--native-only", "--stamp", "<(PRODUCT_DIR)/meditron.stamp"]
        }
      ]
    }
  ]
}
