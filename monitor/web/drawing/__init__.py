"""Tables, charts and styles of the page, as HTML, CSS and Plotly have them."""
