"""One module a page: what is fetched, and where it is shown. (A folder "pages" would be taken by Streamlit itself.)"""
