"""The web page: cores that turn the API's answers into what is shown, and thin Streamlit pages over them."""
